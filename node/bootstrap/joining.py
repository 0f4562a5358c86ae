"""Coming below another office over HTTPS: ask with a token, wait for people, be welcomed.

Everything can be repeated: the same keys with the same token are the same request, and a welcome
can be fetched again until it lapses. What the welcome says is checked by `enrolment.accept`; TLS is
checked against the system's authorities, or those of a file, and is not what it is trusted for.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from node import enrolment_errors
from node.enrolment_errors import (
    EnrolmentLapsedError,
    EnrolmentRefusedError,
    InsecureAddressError,
    ParentUnreachableError,
)
from node.errors import ConfigurationError, NodeError
from protocol.enrolment import Request, Token
from protocol.errors import RequestError, ZhitongError

TIMEOUT_SECONDS = 20.0
ENROLMENTS = "api/v1/enrolments"
KNOWN: dict[str, type[ZhitongError]] = {
    kind.code: kind
    for kind in (RequestError, *vars(enrolment_errors).values())
    if isinstance(kind, type) and issubclass(kind, ZhitongError) and kind is not NodeError
}
"""What the office above may refuse, by code."""


class Answer(BaseModel):
    """How the request stands above. What else a later version says is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    state: str
    reason: str | None = None
    welcome: str | None = None


class Problem(BaseModel):
    """The parts of a problem document that matter here."""

    code: str
    detail: str


async def join(
    url: str,
    token: Token,
    request: Request,
    *,
    authorities: Path | None,
    pause: Callable[[], Awaitable[None]],
) -> str:
    """Ask, and wait until the welcome is there; `pause` is called between two looks.

    Raises what the office above refuses it for, `InsecureAddressError`, and
    `ParentUnreachableError` where it cannot be asked. Once asked, it may be away for a while.
    """
    async with _client(url, token, authorities) as client:
        answer = await _call(client, "POST", ENROLMENTS, request)
        while (welcome := _welcome_of(answer)) is None:
            await pause()
            try:
                answer = await _call(client, "GET", f"{ENROLMENTS}/{answer.id}")
            except ParentUnreachableError:
                continue
        return welcome


def _welcome_of(answer: Answer) -> str | None:
    if answer.state == "refused":
        raise EnrolmentRefusedError(answer.reason)
    if answer.state in ("lapsed", "welcomed", "revoked"):
        raise EnrolmentLapsedError
    return answer.welcome


async def _call(
    client: httpx.AsyncClient, method: str, path: str, request: Request | None = None
) -> Answer:
    try:
        body = None if request is None else request.model_dump(mode="json")
        answer = await client.request(method, path, json=body)
    except (httpx.HTTPError, ssl.SSLError) as error:
        raise ParentUnreachableError(f"{type(error).__name__}: {error}") from error
    try:
        if answer.is_success:
            return Answer.model_validate_json(answer.content)
        problem = Problem.model_validate_json(answer.content)
    except ValidationError as error:
        raise ParentUnreachableError(
            f"what answers there with {answer.status_code} is no office"
        ) from error
    if (kind := KNOWN.get(problem.code)) is not None:
        raise kind(problem.detail)
    raise ParentUnreachableError(f"it answers: {problem.detail} [{problem.code}]")


@asynccontextmanager
async def _client(
    url: str, token: Token, authorities: Path | None
) -> AsyncIterator[httpx.AsyncClient]:
    _demand_secure(url)
    try:
        context = ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"cannot read the certificates {authorities}: {error}") from error
    async with httpx.AsyncClient(
        base_url=url,
        verify=context,
        headers={"authorization": f"Bearer {token}"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    ) as client:
        yield client


def _demand_secure(url: str) -> None:
    try:
        address = urlsplit(url)
        host = address.hostname
    except ValueError as error:
        raise InsecureAddressError(f"{url!r} is no address") from error
    if host is None or (
        address.scheme != "https" and not (address.scheme == "http" and _is_loopback(host))
    ):
        raise InsecureAddressError(f"{url!r} does not begin with https://")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
