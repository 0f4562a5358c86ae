"""The OpenAPI document: valid, complete, and true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.openapi.models import OpenAPI
from jsonschema import Draft202012Validator

from node.bootstrap import application
from node.config import WebSettings
from tests.node.browser import visit
from tests.node.rooms import Room

ACTIONS = (
    "resubmit",
    "withdraw",
    "register",
    "adopt",
    "decline",
    "return",
    "forward",
    "instruct",
    "implement",
    "close",
    "leader-read",
    "archive",
)
ROUTES = {
    *(("post", f"/api/v1/items/{{item_id}}/{action}") for action in ACTIONS),
    ("get", "/api/v1/audit"),
    ("get", "/api/v1/sign-ins"),
    ("get", "/api/v1/hierarchy"),
    ("get", "/api/v1/overview"),
    ("get", "/api/v1/year"),
    *((method, "/api/v1/points") for method in ("get", "put")),
    ("get", "/api/v1/links"),
    ("get", "/api/v1/links/{peer}"),
    ("get", "/api/v1/links/{peer}/refused"),
    *(
        ("post", f"/api/v1/links/{{peer}}/{deed}")
        for deed in ("pause", "resume", "probe", "limit", "reconcile", "waive", "end")
    ),
    ("get", "/api/v1/quarantine"),
    ("get", "/api/v1/quarantine/{id}"),
    *(("post", f"/api/v1/quarantine/{{id}}/{deed}") for deed in ("replay", "discard")),
    *((method, "/api/v1/drafts") for method in ("get", "post")),
    *((method, "/api/v1/drafts/{draft_id}") for method in ("get", "put", "delete")),
    ("get", "/api/v1/drafts/{draft_id}/versions"),
    ("get", "/api/v1/drafts/{draft_id}/versions/{version}"),
    ("post", "/api/v1/drafts/{draft_id}/versions/{version}/take-over"),
    ("post", "/api/v1/drafts/{draft_id}/submit"),
    ("post", "/api/v1/drafts/manuscripts"),
    *((method, "/api/v1/topics") for method in ("get", "put")),
    ("put", "/api/v1/items/{item_id}/tags"),
    ("get", "/api/v1/retention"),
    ("get", "/api/v1/search"),
    ("post", "/api/v1/duplicates"),
    ("get", "/api/v1/items/{item_id}/duplicates"),
    ("get", "/api/v1/items/{item_id}/merges"),
    ("post", "/api/v1/items/{item_id}/take-apart"),
    ("post", "/api/v1/merges"),
    ("post", "/api/v1/items/{item_id}/notes"),
    *((method, "/api/v1/calls") for method in ("get", "post")),
    ("get", "/api/v1/calls/{call_id}"),
    *(
        ("post", f"/api/v1/calls/{{call_id}}/{deed}")
        for deed in ("read", "share", "move", "close", "withdraw")
    ),
    *((method, "/api/v1/issues") for method in ("get", "post")),
    *((method, "/api/v1/issues/{issue_id}") for method in ("get", "put", "delete")),
    *(("post", f"/api/v1/issues/{{issue_id}}/{deed}") for deed in ("sign", "withdraw")),
    ("get", "/api/v1/assignments"),
    ("get", "/api/v1/assignments/overdue"),
    ("get", "/api/v1/assignments/{assignment_id}"),
    *(
        ("post", f"/api/v1/assignments/{{assignment_id}}/{deed}")
        for deed in ("pass-on", "sign-for", "hand-back", "reply", "verdict")
    ),
    ("get", "/api/v1/assignments/{assignment_id}/attachments/{digest}"),
    ("post", "/api/v1/items/{item_id}/assignments"),
    ("post", "/api/v1/items/{item_id}/rating"),
    ("get", "/api/v1/desk"),
    ("get", "/api/v1/desk/queues/{queue}"),
    *((method, "/api/v1/desk/chain") for method in ("get", "put")),
    *((method, "/api/v1/desk/deputies") for method in ("get", "post")),
    ("delete", "/api/v1/desk/deputies/{id}"),
    *((method, "/api/v1/items/{item_id}/claim") for method in ("post", "delete")),
    ("put", "/api/v1/items/{item_id}/editor"),
    ("get", "/api/v1/items/{item_id}/bench"),
    *((method, "/api/v1/items/{item_id}/editions") for method in ("get", "post")),
    ("get", "/api/v1/items/{item_id}/comparison"),
    ("post", "/api/v1/items/{item_id}/checks"),
    ("post", "/api/v1/items/{item_id}/review"),
    *(
        ("post", f"/api/v1/items/{{item_id}}/review/{deed}")
        for deed in ("approve", "skip", "send-back")
    ),
    ("get", "/api/v1/enrolments"),
    ("post", "/api/v1/enrolments"),
    ("get", "/api/v1/enrolments/{id}"),
    *(("post", f"/api/v1/enrolments/{{office}}/{deed}") for deed in ("approve", "refuse")),
    ("get", "/api/v1/offices/{office}"),
    *(("post", f"/api/v1/offices/{{office}}/{deed}") for deed in ("suspend", "resume", "revoke")),
    ("get", "/api/v1/items/{item_id}/purge"),
    ("post", "/api/v1/items/{item_id}/purge"),
    ("get", "/api/v1/items"),
    ("post", "/api/v1/items"),
    ("get", "/api/v1/items/{item_id}"),
    ("get", "/api/v1/items/{item_id}/file"),
    ("get", "/api/v1/items/{item_id}/contact"),
    ("post", "/api/v1/items/{item_id}/draft"),
    ("get", "/api/v1/archive"),
    ("get", "/api/v1/public/form"),
    ("post", "/api/v1/public"),
    ("get", "/api/v1/public/receipts/{code}"),
    *((method, "/api/v1/public/settings") for method in ("get", "put")),
    ("get", "/api/v1/items/{item_id}/attachments/{digest}"),
    ("post", "/api/v1/files"),
    *(
        (method, f"/api/v1/people{rest}")
        for method, rest in (
            ("get", ""),
            ("post", ""),
            ("get", "/expiring"),
            ("get", "/{person_id}"),
            ("put", "/{person_id}"),
            ("get", "/{person_id}/copy"),
            *(
                ("post", f"/{{person_id}}/{deed}")
                for deed in ("disable", "enable", "password", "leave", "return")
            ),
            *(
                ("post", f"/{{person_id}}/{things}{rest}")
                for things in ("memberships", "appointments")
                for rest in ("", "/{id}/end")
            ),
        )
    ),
    ("post", "/api/v1/imports/items"),
    ("get", "/api/v1/imports/items/template"),
    ("post", "/api/v1/imports/{what}"),
    ("get", "/api/v1/imports/{what}/template"),
    ("get", "/api/v1/units"),
    ("post", "/api/v1/units"),
    ("put", "/api/v1/units/{unit_id}"),
    ("post", "/api/v1/units/{unit_id}/close"),
    ("put", "/api/v1/session/password"),
    ("get", "/api/v1/notices"),
    ("post", "/api/v1/notices/read"),
    ("post", "/api/v1/session"),
    ("get", "/api/v1/session"),
    ("delete", "/api/v1/session"),
}


@pytest.fixture
def document(leaf: Room) -> dict[str, Any]:
    """The document as programs get it."""
    return application.build(leaf.desk, WebSettings()).openapi()


async def test_the_document_can_be_had_without_logging_in(leaf: Room) -> None:
    async with visit(leaf) as client:
        answer = await client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1.")


def test_the_document_is_a_valid_openapi_document(document: dict[str, Any]) -> None:
    assert document["info"]["title"] == "Zhitong 直通: 东湖县政协"
    OpenAPI.model_validate(document)
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    names = set(document["components"]["schemas"])
    assert {ref.removeprefix("#/components/schemas/") for ref in _references(document)} <= names


def test_every_action_is_listed_once_under_a_name_of_its_own(document: dict[str, Any]) -> None:
    listed = {(method, path) for path, ways in document["paths"].items() for method in ways}
    assert listed == ROUTES
    ids = [operation["operationId"] for operation in _operations(document)]
    assert len(ids) == len(set(ids)) == len(ROUTES)


def test_every_route_says_what_it_does_and_that_errors_are_problem_documents(
    document: dict[str, Any],
) -> None:
    for operation in _operations(document):
        assert re.fullmatch(r"[A-Z].*\.", operation["description"])
        assert operation["responses"]["default"]["content"] == {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
        assert "422" not in operation["responses"]


def test_what_is_asked_for_is_strict(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    asked = {
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for operation in _operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    }
    assert len(asked) >= 6
    for reference in asked:
        assert schemas[reference.rsplit("/", 1)[1]]["additionalProperties"] is False


async def test_no_page_that_loads_scripts_from_elsewhere_is_served(leaf: Room) -> None:
    async with visit(leaf) as client:
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(path)).status_code == 404


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for methods in document["paths"].values():
        yield from methods.values()


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from _references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _references(inner)
