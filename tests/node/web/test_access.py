"""Every address of the pages, tried by every role and by nobody: the table of `tests/browser/pages`
says what each is answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fastapi.routing import iter_route_contexts

from node.bootstrap import application
from node.config import WebSettings
from node.workflow import access
from tests.browser import pages
from tests.node.browser import visit
from tests.node.rooms import Room
from tests.node.workflow.deeds import item_after

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


def addresses(room: Room) -> Iterator[tuple[str, str]]:
    """Method and path of everything that is served beside the API."""
    served = application.build(room.desk, WebSettings())
    for route in iter_route_contexts(served.routes):
        if route.path is not None and not route.path.startswith("/api/"):
            for method in route.methods or ():
                yield method, route.path


def listed() -> list[tuple[str, str]]:
    """Method and path of everything in the table."""
    return [
        *(("GET", page.route) for page in pages.PAGES),
        *(("POST", form.route) for form in pages.FORMS),
        *(("GET", path) for path in pages.BESIDE),
    ]


async def test_every_address_of_the_pages_stands_in_the_table_once(leaf: Room) -> None:
    assert sorted(addresses(leaf)) == sorted(listed())
    assert set(PERSONAE) == set(access.ROLES)


async def test_every_role_sees_the_pages_that_the_table_says_and_no_other(leaf: Room) -> None:
    item = await leaf.registered()
    wrong: list[str] = []
    for role, username in PERSONAE.items():
        async with visit(leaf, username) as client:
            for page in pages.PAGES:
                answer = await client.get(page.path(item), params=page.query)
                wanted = 200 if role in page.roles else page.refused
                if answer.status_code != wanted:
                    wrong.append(f"{role}: {page.route} answers {answer.status_code}, not {wanted}")
    assert wrong == []


async def test_whoever_is_not_signed_in_is_sent_to_the_form_from_every_page(leaf: Room) -> None:
    item = await leaf.registered()
    wrong: list[str] = []
    async with visit(leaf) as client:
        for page in pages.PAGES:
            answer = await client.get(page.path(item), params=page.query)
            told = answer.status_code, answer.headers.get("location", "").split("?")[0]
            if told != ((200, "") if page.open else (303, "/login")):
                wrong.append(f"{page.route} answers {told}")
        for path in pages.BESIDE:
            if (await client.get(path)).status_code != 200:
                wrong.append(f"{path} is not there")
    assert wrong == []


async def test_an_author_sees_no_page_of_an_item_that_is_somebody_elses(leaf: Room) -> None:
    item = await leaf.registered()
    wrong: list[str] = []
    async with visit(leaf, "chen") as client:
        for page in pages.PAGES:
            if "{item_id}" not in page.route:
                continue
            answer = await client.get(page.path(item), params=page.query)
            if answer.status_code != (page.foreign or page.refused):
                wrong.append(f"{page.route} answers {answer.status_code}")
    assert wrong == []


async def test_no_role_sends_a_form_that_the_table_does_not_give_it(leaf: Room) -> None:
    item = await leaf.registered()
    wrong: list[str] = []
    for role, username in PERSONAE.items():
        async with visit(leaf, username) as client:
            for form in pages.FORMS:
                if role in form.roles:
                    continue
                answer = await client.post(form.path(item), data=form.content)
                if answer.status_code != 403:
                    wrong.append(f"{role}: {form.route} answers {answer.status_code}")
    assert wrong == []
    assert await leaf.state(item) == "registered"


async def test_every_role_sends_the_forms_that_the_table_gives_it(leaf: Room) -> None:
    wrong: list[str] = []
    for form in pages.FORMS:
        for role in form.roles:
            # Each its own: the one before may have changed it.
            item = await item_after(leaf, *form.before)
            async with visit(leaf, PERSONAE[role]) as client:
                answer = await client.post(form.path(item), data=form.content)
            if answer.status_code != form.answer:
                wrong.append(f"{role}: {form.route} answers {answer.status_code}: {answer.text}")
    assert wrong == []


async def test_no_form_is_taken_without_a_session_or_from_another_site(leaf: Room) -> None:
    item = await leaf.registered()
    wrong: list[str] = []
    for form in pages.FORMS:
        if not form.open:
            async with visit(leaf) as client:
                answer = await client.post(form.path(item), data=form.content)
                if answer.status_code not in (303, 401):
                    wrong.append(f"nobody: {form.route} answers {answer.status_code}")
        async with visit(leaf, PERSONAE[min(form.roles)]) as client:
            answer = await client.post(form.path(item), data=form.content, headers=ELSEWHERE)
            if answer.status_code != 403:
                wrong.append(f"from elsewhere: {form.route} answers {answer.status_code}")
    assert wrong == []
    assert await leaf.state(item) == "registered"
