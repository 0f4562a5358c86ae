"""Every address of the pages, tried by every role and by nobody: the tables of `tests/browser` say
what each is answered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from node.bootstrap import application
from node.config import WebSettings
from node.workflow import access
from tests.browser import forms, pages, things
from tests.browser.forms import Form
from tests.browser.pages import Page
from tests.node import chain as chains
from tests.node.browser import send, visit
from tests.node.rooms import Room, Templates
from tests.offices import DEPTH_3, Hierarchy

PERSONAE: Mapping[str, str] = {
    access.AUTHOR: "lin",
    access.EDITOR: "editor",
    access.REVIEWER: "reviewer",
    access.SIGNER: "signer",
    access.LEADER: "leader",
    access.HANDLER: "handler",
    access.SYSTEM_ADMINISTRATOR: "admin",
    access.SECURITY_ADMINISTRATOR: "security",
    access.AUDITOR: "auditor",
}
ELSEWHERE = {"origin": "https://evil.test"}
FIXED = {"queue": "to_triage", "what": "people"}


@pytest.fixture
def line(templates: Templates, tmp_path: Path) -> Hierarchy:
    """Three levels, closed."""
    return templates.copy(DEPTH_3, tmp_path / "line")


@pytest.fixture
async def city(line: Hierarchy) -> AsyncIterator[Room]:
    """A city below its province and above its counties, with a handling unit and a chain."""
    async with chains.opened(line) as chain:
        await things.furnish(chain.above)
        yield chain.above


def addresses(room: Room) -> Iterator[tuple[str, str]]:
    """Method and path of everything that is served beside the API."""
    served = application.build(room.desk, WebSettings())
    for route in iter_route_contexts(served.routes):
        if route.path is not None and not route.path.startswith("/api/"):
            for method in route.methods or ():
                yield method, route.path


def listed() -> list[tuple[str, str]]:
    """Method and path of everything in the tables."""
    return [
        *(("GET", page.route) for page in pages.PAGES),
        *(("POST", form.route) for form in forms.FORMS),
        *pages.OTHER,
    ]


async def thing_of(room: Room, row: Page | Form) -> str:
    """What the address is about, made anew; empty where it is about nothing."""
    name = row.route.partition("{")[2].partition("}")[0]
    if name in FIXED:
        return FIXED[name]
    make = row.make or things.MAKERS.get(name)
    return "" if make is None else str(await make(room))


async def open_page(client: httpx.AsyncClient, page: Page, thing: str) -> httpx.Response:
    query = {name: value.replace("{it}", thing) for name, value in page.query.items()}
    return await client.get(pages.filled(page.route, thing), params=query)


async def contents_of(room: Room, form: Form, thing: str) -> dict[str, str | list[str]]:
    """What the form says, of this thing, and of another one of its kind."""
    other = thing
    if any("{other}" in value for value in form.content.values()):
        assert form.make is not None
        other = str(await form.make(room))

    def say(value: str) -> str:
        return value.replace("{it}", thing).replace("{other}", other)

    return {
        name: say(value) if isinstance(value, str) else [say(one) for one in value]
        for name, value in form.content.items()
    }


def path_of(form: Form, thing: str) -> str:
    name = form.route.partition("{")[2].partition("}")[0]
    return pages.filled(form.route, FIXED.get(name, thing))


async def made_for(room: Room, form: Form) -> str:
    """What the form speaks of, also where that does not stand in the address."""
    if form.make is not None:
        return str(await form.make(room))
    return await thing_of(room, form)


async def test_every_address_of_the_pages_stands_in_the_table_once(leaf: Room) -> None:
    assert sorted(addresses(leaf)) == sorted(listed())
    assert set(PERSONAE) == set(access.ROLES)


async def test_every_role_sees_the_pages_that_the_table_says_and_no_other(city: Room) -> None:
    made = {page.route: await thing_of(city, page) for page in pages.PAGES}
    wrong: list[str] = []
    for role, username in PERSONAE.items():
        async with visit(city, username) as client:
            for page in pages.PAGES:
                if role in page.roles - (page.sees or page.roles):
                    continue
                answer = await open_page(client, page, made[page.route])
                wanted = page.answer if role in page.roles else page.refused
                if answer.status_code != wanted:
                    wrong.append(f"{role}: {page.route} answers {answer.status_code}, not {wanted}")
    assert not wrong, "\n".join(wrong)


async def test_whoever_is_not_signed_in_is_sent_to_the_form_from_every_page(city: Room) -> None:
    wrong: list[str] = []
    async with visit(city) as client:
        for page in pages.PAGES:
            answer = await open_page(client, page, await thing_of(city, page))
            told = answer.status_code, answer.headers.get("location", "").split("?")[0]
            if told != ((200, "") if page.open else (303, "/login")):
                wrong.append(f"{page.route} answers {told}")
        for path in pages.BESIDE:
            if (await client.get(path)).status_code != 200:
                wrong.append(f"{path} is not there")
        if (await client.get("/live")).status_code != 303:
            wrong.append("the stream is open to everybody")
    assert not wrong, "\n".join(wrong)


async def test_an_author_sees_no_page_of_an_item_that_is_somebody_elses(city: Room) -> None:
    wrong: list[str] = []
    async with visit(city, "chen") as client:
        for page in pages.PAGES:
            if "{item_id}" not in page.route:
                continue
            answer = await open_page(client, page, await thing_of(city, page))
            if answer.status_code != (page.foreign or page.refused):
                wrong.append(f"{page.route} answers {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def test_no_role_sends_a_form_that_the_table_does_not_give_it(city: Room) -> None:
    made = {form.route: await made_for(city, form) for form in forms.FORMS}
    wrong: list[str] = []
    for role, username in PERSONAE.items():
        async with visit(city, username) as client:
            for form in forms.FORMS:
                if role in form.roles:
                    continue
                thing = made[form.route]
                content = await contents_of(city, form, thing)
                answer = await send(client, path_of(form, thing), content)
                if answer.status_code != 403:
                    wrong.append(f"{role}: {form.route} answers {answer.status_code}")
    assert not wrong, "\n".join(wrong)


async def test_every_role_sends_the_forms_that_the_table_gives_it(city: Room) -> None:
    wrong: list[str] = []
    for form in forms.FORMS:
        for role in sorted(form.sends or form.roles):
            # Each its own: the one before may have changed it.
            thing = await made_for(city, form)
            content = await contents_of(city, form, thing)
            async with visit(city, PERSONAE[role]) as client:
                answer = await send(client, path_of(form, thing), content)
            if answer.status_code != form.answer:
                said = re.sub(r"<[^>]*>|\s+", " ", answer.text.partition('role="alert"')[2])[:200]
                wrong.append(f"{role}: {form.route} answers {answer.status_code}: {said}")
    assert not wrong, "\n".join(wrong)


async def test_no_form_is_taken_without_a_session_from_another_site_or_without_its_token(
    city: Room,
) -> None:
    wrong: list[str] = []
    for form in forms.FORMS:
        path = path_of(form, await made_for(city, form))
        if not form.open:
            async with visit(city) as client:
                answer = await client.post(path, data=dict(form.content))
                if answer.status_code != 303 or answer.headers["location"] != "/login":
                    wrong.append(f"nobody: {form.route} answers {answer.status_code}")
        async with visit(city, PERSONAE[min(form.roles)]) as client:
            for headers in (ELSEWHERE, {}):
                answer = await client.post(path, data=dict(form.content), headers=headers)
                if answer.status_code != 403:
                    wrong.append(f"{headers}: {form.route} answers {answer.status_code}")
    assert not wrong, "\n".join(wrong)
