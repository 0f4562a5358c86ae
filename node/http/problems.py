"""Problem documents (RFC 9457): every error leaves as one, with a stable code and plain Chinese."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from node.draft_errors import DraftChangedError
from node.errors import DatabaseAwayError, InputError, NodeError, PhrasesError, message_of
from node.people_errors import MistakesError
from node.public_errors import TooManyError
from node.storage.database import is_away
from node.topic_errors import TopicError
from node.workflow import refusals
from protocol.errors import ArchivedError, ClassifiedError, LifecycleError, ZhitongError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
STATUS = {LifecycleError.code: 409, ArchivedError.code: 409, ClassifiedError.code: 422}
"""Of the protocol's own errors."""

PLAIN = {
    404: "没有这个地址。",
    405: "这个地址不支持这种请求。",
    413: "提交的内容太大。",
}


class Problem(BaseModel):
    """What went wrong. `title` is for people, `code` for programs, `detail` says where."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[dict[str, str]] | None = None
    stored: dict[str, Any] | None = None
    """What is there, where somebody wanted to change something older."""


def document(
    code: str,
    title: str,
    status: int,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    stored: dict[str, Any] | None = None,
) -> Response:
    """The response that tells of a problem."""
    problem = Problem(
        type=f"urn:zhitong:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        code=code,
        errors=errors,
        stored=stored,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status_code=status, media_type=MEDIA_TYPE
    )


def of_error(error: ZhitongError) -> Response:
    """The document for one of our own errors."""
    status = error.status if isinstance(error, NodeError) else STATUS.get(error.code, 400)
    found = None
    if isinstance(error, PhrasesError | MistakesError | TopicError):
        found = [{"field": field, "message": phrase} for field, phrase in error.found]
    stored = error.stored if isinstance(error, DraftChangedError) else None
    answer = document(error.code, message_of(error), status, error.detail, found, stored)
    answer.headers.update(headers_of(error))
    return answer


def headers_of(error: ZhitongError) -> dict[str, str]:
    """What the answer says of the error beside its status."""
    return {"Retry-After": str(error.retry_after)} if isinstance(error, TooManyError) else {}


def install(application: FastAPI) -> None:
    """Answer every error with a problem document, and say so in the OpenAPI document."""
    plain_document = application.openapi

    def openapi() -> dict[str, Any]:
        # FastAPI describes every answer as application/json.
        described = plain_document()
        for ways in described["paths"].values():
            for operation in ways.values():
                content = operation["responses"].get("default", {}).get("content", {})
                if "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
        return described

    application.openapi = openapi  # type: ignore[method-assign]

    @application.exception_handler(ZhitongError)
    async def ours(request: Request, error: ZhitongError) -> Response:
        if isinstance(error, NodeError) and error.refused is not None:
            await refusals.note(request.app.state.desk, error.refused)
        return of_error(error)

    @application.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        # Where and what, never the input itself: it may be long, or confidential.
        found = [
            {"field": ".".join(str(part) for part in one["loc"][1:]), "message": one["msg"]}
            for one in error.errors()
        ]
        where = "；".join(f"{one['field']}: {one['message']}" for one in found)
        return document(InputError.code, InputError.message, InputError.status, where, found)

    @application.exception_handler(HTTPException)
    async def plain(_: Request, error: HTTPException) -> Response:
        title = PLAIN.get(error.status_code, NodeError.message)
        answer = document(f"http.{error.status_code}", title, error.status_code, str(error.detail))
        answer.headers.update(error.headers or {})
        return answer

    @application.exception_handler(SQLAlchemyError)
    @application.exception_handler(OSError)
    async def storage(request: Request, error: Exception) -> Response:
        # Not left to the handler below, after which the server writes a traceback as well.
        if not is_away(error):
            raise error
        log.warning("http.database_away", path=request.url.path)
        return of_error(DatabaseAwayError())

    @application.exception_handler(Exception)
    async def unforeseen(request: Request, error: Exception) -> Response:
        log.exception("http.failed", path=request.url.path, error=type(error).__name__)
        return document("node.failed", "系统出现错误，请稍后再试。", 500, "internal error")
