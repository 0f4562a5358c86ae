"""How the office reviews: the approval chain, and who acts in whose place."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from node.http.session import OneDesk, Person
from node.web.forms import Entered, Fields, record
from node.web.mistakes import Told, told
from node.web.rendering import page
from node.web.routing import PageRoute, back
from node.workflow import access, chains, deputies
from node.workflow.chains import MOST, Wanted
from node.workflow.deputies import Absence
from node.workflow.desk import Actor, Desk
from protocol.errors import ZhitongError

router = APIRouter(route_class=PageRoute)


@router.get("/chain")
async def chain_page(request: Request, desk: OneDesk, person: Person) -> Response:
    """The chain that counts, in a form."""
    access.demand(person, "configure_desk")
    return await _chain(request, desk, person)


@router.post("/chain")
async def set_chain(request: Request, desk: OneDesk, person: Person, entered: Entered) -> Response:
    """Let this chain count for reviews that begin from now on."""
    access.demand(person, "configure_desk")
    try:
        steps = [_step(entered, row) for row in range(MOST) if entered.text(f"name-{row}")]
        wanted = record(Wanted, steps=steps, checks_demanded=entered.flag("checks_demanded"))
        await chains.set_chain(desk, person, wanted)
    except ZhitongError as error:
        return await _chain(request, desk, person, entered, told(error))
    return back("/chain", "chain")


@router.get("/deputies")
async def deputy_list(request: Request, desk: OneDesk, person: Person) -> Response:
    """Who acts in whose place, now and later."""
    return await _deputies(request, desk, person, Fields([]))


@router.post("/deputies")
async def name_deputy(
    request: Request, desk: OneDesk, person: Person, entered: Entered
) -> Response:
    """Name who acts in one's place."""
    access.demand(person, "name_deputy")
    try:
        content = {name: entered.text(name) for name in ("deputy", "role", "since", "until")}
        absence = record(Absence, **content, username=entered.optional("username"))
        await deputies.add(desk, person, absence)
    except ZhitongError as error:
        return await _deputies(request, desk, person, entered, told(error))
    return back("/deputies", "deputy")


@router.post("/deputies/{deputy_id}/end")
async def end_deputy(deputy_id: UUID, request: Request, desk: OneDesk, person: Person) -> Response:
    """Act for oneself again."""
    access.demand(person, "name_deputy")
    await deputies.end(desk, person, deputy_id)
    return back("/deputies", "deputy-end")


def _step(entered: Fields, row: int) -> dict[str, Any]:
    return {
        "name": entered.text(f"name-{row}"),
        "role": entered.text(f"role-{row}"),
        "may_skip": entered.each(f"skip-{row}"),
        "another_person": entered.flag(f"another-{row}"),
    }


async def _chain(
    request: Request,
    desk: Desk,
    person: Actor,
    entered: Fields | None = None,
    told: Told | None = None,
) -> Response:
    chain = await chains.show(desk, person)
    if entered is None:
        pairs = [("checks_demanded", "1" if chain.checks_demanded else "")]
        for row, step in enumerate(chain.steps):
            pairs += [
                (f"name-{row}", step.name),
                (f"role-{row}", step.role),
                (f"another-{row}", "1" if step.another_person else ""),
                *((f"skip-{row}", role) for role in step.may_skip),
            ]
        for row in range(len(chain.steps), MOST):
            pairs.append((f"another-{row}", "1"))
        entered = Fields(pairs)
    return await page(
        request,
        person,
        "chain.html",
        status=told.status if told else 200,
        chain=chain,
        rows=range(MOST),
        entered=entered,
        told=told,
    )


async def _deputies(
    request: Request, desk: Desk, person: Actor, entered: Fields, told: Told | None = None
) -> Response:
    return await page(
        request,
        person,
        "deputies.html",
        status=told.status if told else 200,
        rows=await deputies.view(desk, person),
        entered=entered,
        told=told,
    )
