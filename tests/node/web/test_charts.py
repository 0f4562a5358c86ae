"""Charts: every column fits its plot, and says what its table says."""

from __future__ import annotations

import re

import pytest

from node.web import charts
from node.workflow.tallies import MONTHS, Count
from tests.node.browser import visit
from tests.node.chain import Chain
from tests.node.workflow.deeds import Action, do

NONE = dict.fromkeys(MONTHS, Count())


def number(percent: str) -> float:
    return float(percent.removesuffix("%"))


@pytest.mark.parametrize(
    ("most", "top"), [(0, 4), (1, 4), (4, 4), (5, 8), (9, 20), (477, 800), (6_250, 8_000)]
)
def test_the_highest_line_is_round_and_no_lower_than_the_highest_column(
    most: int, top: int
) -> None:
    drawn = charts.columns(NONE | {3: Count(most, most)})
    assert [value for value, _ in drawn.lines] == [top // 4, top // 2, top * 3 // 4, top]
    assert drawn.lines[-1][1] == "0%"


def test_a_column_stands_on_the_base_within_its_month_and_that_of_the_adopted_within_it() -> None:
    drawn = charts.columns(NONE | {12: Count(10, 5)})
    last = drawn.columns[-1]
    assert (last.height, last.y) == ("50%", "50%")
    assert (last.inner_height, last.inner_y) == ("25%", "75%")
    assert number(last.x) > 100 * 11 / 12
    assert number(last.x) + number(last.width) < 100
    assert number(last.x) < number(last.inner_x)
    assert number(last.inner_width) < number(last.width)


@pytest.mark.parametrize(
    ("part", "told"), [(477, "76.69%"), (150, "24.12%"), (1, "0.16%"), (225, "36.17%")]
)
def test_rates_are_rounded_half_up(part: int, told: str) -> None:
    assert charts.rate(part, 622) == told
    assert charts.rate(1, 800) == "0.13%"
    assert charts.rate(0, 0) == "—"
    assert charts.share(1, 3) == "33.33%"


async def test_an_office_and_an_author_see_their_year_drawn_and_in_a_table(pair: Chain) -> None:
    county = pair.county
    item = await county.registered(topic="city")
    await county.submit(topic="economy")
    await do(county, Action.ADOPT, item)
    month = county.clock().month
    for username, path in (("leader", "/overview"), ("lin", "/year")):
        async with visit(county, username) as client:
            page = (await client.get(path)).text
            empty = (await client.get(f"{path}?year=2020")).text
        row = f'{month}月</th><td class="figure">2</td><td class="figure">1</td>'
        assert row in page
        assert '县区</th><td class="figure">1</td><td class="figure">50.00%</td>' in page
        assert re.search('城建城管</th><td class="figure">1</td><td class="figure">1</td>', page)
        assert page.count('<rect class="all" x=') == 1
        assert "style=" not in page
        assert "<svg" not in empty
