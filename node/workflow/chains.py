"""The office's approval chain (审签流程), as data with versions.

A review that has begun goes on along the chain with which it began. An office without a chain, or
whose newest one has no steps, decides without review.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StrictBool, model_validator
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from node.desk_errors import StaleError
from node.storage.database import Session
from node.storage.desk import Chain
from node.workflow import access, audit
from node.workflow.desk import Actor, Desk
from protocol.offices import Line, Record

ReviewRole = Literal["editor", "reviewer", "signer"]
MOST = 8
NEWEST = select(Chain).order_by(Chain.version.desc()).limit(1)


class Step(Record):
    """One step: who takes it, who may pass over it, and whether it must be somebody new.

    `another_person`: whoever sent the edition to review, edited it or took an earlier step, does
    not take this one.
    """

    model_config = ConfigDict(extra="forbid", defer_build=False)

    name: Annotated[Line, Field(max_length=40)]
    role: ReviewRole
    may_skip: tuple[ReviewRole, ...] = ()
    another_person: StrictBool = True


class Wanted(Record):
    """A chain as an administrator sets it. Its last step signs, and is never passed over."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    steps: Annotated[tuple[Step, ...], Field(max_length=MOST)]
    checks_demanded: StrictBool = False

    @model_validator(mode="after")
    def _sound(self) -> Self:
        names = [step.name for step in self.steps]
        if len(set(names)) < len(names):
            raise ValueError("two steps have the same name")
        if self.steps and self.steps[-1].may_skip:
            raise ValueError("the last step signs: nobody may pass over it")
        return self


@dataclass(frozen=True)
class ChainView:
    """A version of the chain. Version 0 is that of an office that has set none."""

    version: int
    steps: Sequence[Step]
    checks_demanded: bool
    set_at: datetime | None
    set_by: str | None


NONE = ChainView(0, (), checks_demanded=False, set_at=None, set_by=None)


async def show(desk: Desk, actor: Actor) -> ChainView:
    """The chain that counts now."""
    access.demand(actor, "read_chain")
    async with desk.database.reading() as session:
        return await current(session)


async def set_chain(desk: Desk, actor: Actor, wanted: Wanted) -> int:
    """Let this chain count from now on. Returns its version. Raises `StaleError`."""
    access.demand(actor, "configure_desk")
    now = desk.clock()
    try:
        return await _set(desk, actor, wanted, now)
    except IntegrityError as error:
        raise StaleError("审签流程刚刚由他人改过") from error


async def _set(desk: Desk, actor: Actor, wanted: Wanted, now: datetime) -> int:
    async with desk.database.writing.begin() as session:
        version = (await current(session)).version + 1
        session.add(
            Chain(
                version=version,
                steps=[step.model_dump(mode="json") for step in wanted.steps],
                checks_demanded=wanted.checks_demanded,
                set_at=now,
                set_by=actor.name,
            )
        )
        audit.note(
            session,
            now,
            actor=actor,
            action="chain_set",
            subject=str(version),
            steps=[step.role for step in wanted.steps],
        )
    return version


async def current(session: Session) -> ChainView:
    """The newest version."""
    row = await session.scalar(NEWEST)
    return NONE if row is None else _view(row)


async def of_version(session: Session, version: int) -> ChainView:
    """One version."""
    return _view(await session.get_one(Chain, version))


def _view(row: Chain) -> ChainView:
    steps = tuple(Step.model_validate(step) for step in row.steps)
    return ChainView(row.version, steps, row.checks_demanded, row.set_at, row.set_by)
