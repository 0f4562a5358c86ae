"""What holds for every page in a browser: everybody can use it, it is light, and it is alone."""

from __future__ import annotations

import pytest

from tests.browser import pages
from tests.browser.survey import Survey

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


async def test_every_look_of_the_table_was_opened_and_has_a_name_of_its_own(survey: Survey) -> None:
    assert sorted(survey.looks) == sorted(look.name for page in pages.PAGES for look in page.looks)
    assert len(survey.looks) == len(set(survey.looks))


async def test_no_page_violates_a_rule_of_accessibility_in_any_theme_on_any_screen(
    survey: Survey,
) -> None:
    assert not survey.violations, "\n".join(survey.violations)


async def test_no_page_is_wider_than_the_screen(survey: Survey) -> None:
    assert not survey.wide, "\n".join(survey.wide)


async def test_the_keys_alone_suffice_and_one_sees_where_one_is(survey: Survey) -> None:
    assert not survey.keys, "\n".join(survey.keys)


async def test_every_page_is_light(survey: Survey) -> None:
    assert not survey.heavy, "\n".join(survey.heavy)


async def test_every_page_says_what_a_browser_may_do_with_it(survey: Survey) -> None:
    assert not survey.headers, "\n".join(survey.headers)


async def test_no_page_asks_anything_of_other_machines(survey: Survey) -> None:
    assert not survey.outside, "\n".join(survey.outside)


async def test_the_browser_complains_of_no_page(survey: Survey) -> None:
    assert not survey.complaints, "\n".join(survey.complaints)
