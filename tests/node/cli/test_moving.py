"""`zhitong office move` and `zhitong link end`: an office comes under another parent."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from node import config
from node.keys import file as keys
from node.storage.database import Database
from protocol.enrolment import root_of
from tests.node.cli.conftest import Outcome, Zhitong
from tests.node.cli.test_links import forwarded
from tests.node.rooms import Templates, contents
from tests.offices import Plan

DONGHU = Plan("donghu", "东湖县政协", "county")
NANHE = Plan("nanhe", "南河区政协", "county")
YUNZHOU = Plan("yunzhou", "云州市政协", "city", (DONGHU,))
LANJIANG = Plan("lanjiang", "澜江市政协", "city", (NANHE,))
PROVINCE = Plan("jiangyuan", "江原省政协", "province", (YUNZHOU, LANJIANG))
ELSEWHERE = Plan("linsheng", "邻省政协", "province", (Plan("linshi", "邻市政协", "city"),))


@pytest.fixture
def offices(templates: Templates, tmp_path: Path) -> Path:
    """The folders of two hierarchies, each with a root of its own."""
    for plan in (PROVINCE, ELSEWHERE):
        for folder in templates.copy(plan, tmp_path / plan.id).folder.iterdir():
            folder.rename(tmp_path / f"at-{folder.name}")
    return tmp_path


@pytest.fixture
def at(offices: Path) -> Mapping[str, Path]:
    """The offices' folders by their ids."""
    return {folder.name[3:]: folder for folder in offices.glob("at-*")}


def held(folder: Path) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    """All that an office has: its rows, and its files but for the database's."""

    async def rows() -> dict[str, list[str]]:
        database = Database(config.load(folder).database_url)
        try:
            return await contents(database)
        finally:
            await database.close()

    files = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and "sqlite" not in file.name
    }
    return asyncio.run(rows()), files


def root(folder: Path) -> str:
    """The root certificate's digest, as the office knows it."""
    settings = config.load(folder)
    return root_of(keys.read_certificates(settings.path(settings.keys.root))[0])


def done(outcome: Outcome) -> str:
    assert (outcome.code, outcome.err) == (0, ""), outcome.err
    return outcome.out


def welcomed(zhitong: Zhitong, office: Path, above: Path) -> Path:
    """The welcome of another parent, asked for and approved by hand."""
    request, welcome = office / "request", office / "welcome"
    done(zhitong("office", "move", "--request", request, "-c", office))
    done(zhitong("enrolment", "import", request, "-c", above))
    name = office.name[3:]
    done(zhitong("enrolment", "approve", name, "-o", welcome, "-c", above))
    return welcome


def moved(zhitong: Zhitong, office: Path, above: Path) -> str:
    welcome = welcomed(zhitong, office, above)
    return done(zhitong("office", "move", "--welcome", welcome, "-c", office))


def test_a_county_moves_and_its_links_say_so_on_both_sides(
    zhitong: Zhitong, at: Mapping[str, Path]
) -> None:
    county = at["donghu"]
    said = moved(zhitong, county, at["lanjiang"])
    assert "已划归澜江市政协（lanjiang）" in said
    assert "zhitong link end" in said
    parent = config.load(county).parent
    assert parent is not None
    assert parent.id == "lanjiang"
    ends = zhitong("link", "end", "yunzhou", "--on", "2199-12-31", "-c", county)
    assert "2199-12-31" in done(ends)
    assert "2199-12-31" in done(zhitong("link", "show", "yunzhou", "-c", county))
    done(zhitong("link", "end", "yunzhou", "--force", "-c", county))
    assert "与 donghu 的线路到" in done(zhitong("link", "end", "donghu", "-c", at["yunzhou"]))
    shown = done(zhitong("office", "show", "donghu", "-c", at["yunzhou"]))
    assert "：已吊销，" in shown
    assert "已划归其他机关" in shown


def test_what_was_kept_of_a_former_parent_goes_when_it_is_the_present_one_again(
    zhitong: Zhitong, at: Mapping[str, Path]
) -> None:
    county = at["donghu"]
    former = county / "keys" / "former"
    for above, kept in (("lanjiang", "yunzhou"), ("yunzhou", "lanjiang"), ("lanjiang", "yunzhou")):
        chain = (county / "keys" / "node.pem").read_bytes()
        moved(zhitong, county, at[above])
        assert [folder.name for folder in former.iterdir()] == [kept]
        assert (former / kept / "node.pem").read_bytes() == chain


def test_what_still_waits_for_a_receipt_keeps_a_link_open_unless_it_is_forced(
    zhitong: Zhitong, at: Mapping[str, Path]
) -> None:
    county = at["donghu"]
    forwarded(zhitong, county)
    moved(zhitong, county, at["lanjiang"])
    before = held(county)
    assert "[link.undrained]" in zhitong("link", "end", "yunzhou", "-c", county).mistake
    assert held(county) == before
    done(zhitong("link", "end", "yunzhou", "--force", "-c", county))


def test_another_root_must_be_named_and_be_the_right_one(
    zhitong: Zhitong, at: Mapping[str, Path]
) -> None:
    county, above = at["donghu"], at["linsheng"]
    welcome = welcomed(zhitong, county, above)
    before = held(county)
    move = ("office", "move", "--welcome", welcome, "-c", county)
    assert "[move.root]" in zhitong(*move).mistake
    assert "[enrolment.root]" in zhitong(*move, "--root", root(county)).mistake
    assert held(county) == before
    assert "已划归邻省政协（linsheng）" in done(zhitong(*move, "--root", root(above)))


def test_a_move_that_cannot_be_changes_nothing(zhitong: Zhitong, at: Mapping[str, Path]) -> None:
    county = at["donghu"]
    theirs = welcomed(zhitong, at["nanhe"], at["yunzhou"])
    own = welcomed(zhitong, county, at["lanjiang"])
    spoilt = county / "spoilt"
    spoilt.write_text(own.read_text()[:-40])
    before = held(county)
    for words, code in (
        (("--welcome", theirs), "enrolment.welcome"),
        (("--welcome", spoilt), "enrolment.welcome"),
        (("--welcome", county / "nowhere"), "input.invalid"),
        (("--welcome", own, "--root", "zz"), "input.invalid"),
        (("--welcome", own, "--request", "-"), "input.invalid"),
        ((), "input.invalid"),
    ):
        assert f"[{code}]" in zhitong("office", "move", *words, "-c", county).mistake, words
    assert held(county) == before
    done(zhitong("office", "move", "--welcome", own, "-c", county))
    after = held(county)
    assert "[move.already]" in zhitong("office", "move", "--welcome", own, "-c", county).mistake
    assert held(county) == after


def test_nobody_comes_under_an_office_below_his_own(
    zhitong: Zhitong, at: Mapping[str, Path]
) -> None:
    province, city = at["jiangyuan"], at["yunzhou"]
    request = province / "request"
    done(zhitong("office", "move", "--request", request, "-c", province))
    before = held(city)
    assert "[enrolment.above]" in zhitong("enrolment", "import", request, "-c", city).mistake
    assert held(city) == before


def test_a_link_that_cannot_end_stays(zhitong: Zhitong, at: Mapping[str, Path]) -> None:
    county, city = at["donghu"], at["yunzhou"]
    for folder, words, code in (
        (county, ("yunzhou",), "link.needed"),
        (county, ("yunzhou", "--force"), "link.needed"),
        (county, ("yunzhou", "--on", "2020-01-01"), "input.invalid"),
        (county, ("yunzhou", "--on", "morgen"), "input.invalid"),
        (county, ("nowhere",), "office.unknown"),
        (city, ("donghu", "--on", "2199-12-31"), "input.invalid"),
    ):
        before = held(folder)
        assert f"[{code}]" in zhitong("link", "end", *words, "-c", folder).mistake, words
        assert held(folder) == before
