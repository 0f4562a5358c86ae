"""The web application of one office: API and pages on one address."""

from __future__ import annotations

import re

from fastapi import FastAPI

from node.api.routes import router as api
from node.config import WebSettings
from node.http import problems
from node.http.attempts import Attempts
from node.http.limits import MAXIMUM_BODY, BodyLimit
from node.web.live import Board
from node.web.routes import router as pages
from node.workflow.desk import Desk

WITH_FILES = r"/items/[^/]+/instruct|/cases/[^/]+/reply"
"""Deeds whose forms carry files."""


def build(desk: Desk, settings: WebSettings) -> FastAPI:
    """The application. It uses the desk, and holds no key."""
    application = FastAPI(
        title=f"Zhitong 直通: {desk.office.name}",
        version="1",
        docs_url=None,  # its page loads scripts from the Internet
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
    )
    application.state.desk = desk
    application.state.web = settings
    application.state.attempts = Attempts()
    application.state.strangers = Attempts()
    application.state.board = Board(desk.database.watch)
    counted_elsewhere = [
        ("POST", f"{api.prefix}/{path}")
        for path in (
            "files",
            "drafts/manuscripts",
            "imports/items",
            "imports/people",
            "imports/units",
        )
    ]
    application.add_middleware(
        BodyLimit,
        counted_elsewhere=counted_elsewhere,
        # Forms with files in them; one at a time where an item is written.
        larger=[
            ("POST", re.compile("/write/files"), desk.limits.file_bytes + MAXIMUM_BODY),
            ("POST", re.compile(WITH_FILES), desk.limits.item_bytes + MAXIMUM_BODY),
        ],
    )
    problems.install(application)
    application.include_router(api)
    application.include_router(pages)
    return application
