"""The demo's start page: every office with its people, and signing in as one of them at a click.

For the demo alone: it knows everybody's password. It listens on loopback, as the offices do, and
takes clicks of its own page only.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, Form, Request, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, select_autoescape
from sqlalchemy import select

from node.bootstrap.node import Node
from node.bootstrap.server import QuietServer, listen
from node.cli.demo.cast import OFFICES, PASSWORD
from node.http import problems, session
from node.storage.people import Person
from node.web.rendering import HEADERS, STATIC
from node.workflow import phrases
from node.workflow.tallies import LEVELS

HOST, PORT = "127.0.0.1", 8800
ADDRESS = f"http://{HOST}:{PORT}"
ORDER = tuple(phrases.ROLES)
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape()
)


def build(
    nodes: Mapping[str, Node], addresses: Mapping[str, str], shown: str, password: str = PASSWORD
) -> FastAPI:
    """The page's application. `shown` is the user name of whom the demo's timeline is about."""
    # A browser follows what a form leads to as it follows the form.
    reached = " ".join(["form-action 'self'", *addresses.values()])
    policy = HEADERS["Content-Security-Policy"].replace("form-action 'self'", reached)
    headers = {**HEADERS, "Content-Security-Policy": policy}
    application = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    problems.install(application)

    @application.get("/")
    async def start() -> HTMLResponse:
        offices = [
            {
                "id": office.id,
                "name": office.name,
                "address": addresses[office.id],
                "people": await _people(nodes[office.id], shown),
            }
            for office in sorted(OFFICES, key=lambda one: LEVELS.index(one.level))
            if office.id in nodes
        ]
        page = TEMPLATES.get_template("start.html").render(offices=offices, password=password)
        return HTMLResponse(page, headers=headers)

    @application.post("/enter", dependencies=[Depends(session.same_origin)])
    async def enter(
        request: Request, office: Annotated[str, Form()], username: Annotated[str, Form()]
    ) -> Response:
        if office not in nodes:
            return RedirectResponse("/", status_code=303)
        node = nodes[office]
        answer = RedirectResponse(f"{addresses[office]}/", status_code=303)
        # Cookies know no ports: the office finds the session, though this page began it.
        await session.begin(request, answer, node.desk, node.settings.web, username, password)
        return answer

    @application.get("/style.css")
    async def style() -> FileResponse:
        return FileResponse(STATIC / "style.css", media_type="text/css")

    @application.get("/icon.svg")
    async def icon() -> FileResponse:
        return FileResponse(STATIC / "icon.svg", media_type="image/svg+xml")

    return application


@asynccontextmanager
async def served(application: FastAPI) -> AsyncIterator[None]:
    """The page at `ADDRESS`."""
    server = QuietServer(
        uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    )
    running = asyncio.create_task(server.serve(sockets=[listen(HOST, PORT)]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


async def _people(node: Node, shown: str) -> list[dict[str, Any]]:
    async with node.desk.database.reading() as opened:
        people = (await opened.scalars(select(Person))).all()

    def place(person: Person) -> tuple[int, str]:
        return min(ORDER.index(role) for role in person.roles), person.username

    return [
        {
            "username": person.username,
            "name": person.name,
            "part": "、".join(part for part in (phrases.roles(person.roles), person.unit) if part),
            "first": person.username in (shown, "editor"),
        }
        for person in sorted(people, key=place)
    ]
