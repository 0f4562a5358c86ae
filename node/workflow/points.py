"""Points (计分): the office's own rules, as data, and how an author's items count by them.

Rules say what an adoption at each level brings, on its own or combined with others, and what a
leader's instruction there brings. Each counts once for an item, however many offices of that level
did it; an adoption that was retracted does not. Adoptions at several levels add up, or the highest
counts alone. Co-authors get the whole each, or their parts, rounded half up to two decimals. Rules
are kept in versions, and say from which year on they count: those of a year are the newest that
began by then. An office that has set none, or nothing but blanks, counts no points.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.exc import IntegrityError

from node.desk_errors import PointsChangedError
from node.storage.database import Session
from node.storage.events import Event
from node.storage.items import Edition, Item
from node.storage.points import PointRules
from node.workflow import access, audit, tallies
from node.workflow.desk import Actor, Desk
from node.workflow.tallies import LEVELS, Level
from protocol.offices import Record

Kind = Literal["single", "combined", "instructed"]
KINDS: tuple[Kind, ...] = get_args(Kind)
Worth = Annotated[Decimal, Field(ge=0, le=1000, max_digits=6, decimal_places=2)]
CENT = Decimal("0.01")


class Rules(Record):
    """The rules as an administrator wants them, made of this version."""

    model_config = ConfigDict(extra="forbid", defer_build=False)

    version: Annotated[int, Field(ge=0, le=1_000_000)]
    from_year: Annotated[int, Field(ge=1949, le=9998)]
    worth: Mapping[Kind, Mapping[Level, Worth]]
    """What is not named here brings nothing."""
    levels: Literal["sum", "highest"] = "sum"
    authors: Literal["whole", "parts"] = "parts"


@dataclass(frozen=True)
class RulesView:
    """A version. Version 0 is that of an office that has set none."""

    rules: Rules | None
    version: int = 0
    set_at: datetime | None = None
    set_by: str | None = None


@dataclass(frozen=True)
class Line:
    """What brought points."""

    kind: Kind
    level: str
    worth: Decimal
    counts: bool = True
    """False for an adoption below the highest one, where that counts alone."""


@dataclass(frozen=True)
class Counted:
    """An item, and how the author's points for it were found."""

    id: UUID
    title: str
    lines: Sequence[Line]
    part: Fraction
    points: Decimal


@dataclass(frozen=True)
class Points:
    """An author's points of a year, the newest item first."""

    total: Decimal
    items: Sequence[Counted]
    rules: Rules


async def show(desk: Desk, actor: Actor) -> RulesView:
    """The version that was set last."""
    access.demand(actor, "configure_desk")
    async with desk.database.reading() as session:
        row = await _newest(session)
    if row is None:
        return RulesView(None)
    return RulesView(_rules(row), row.version, row.set_at, row.set_by)


async def set_rules(desk: Desk, actor: Actor, wanted: Rules) -> int:
    """Let these count. Returns their version. Raises `PointsChangedError`."""
    access.demand(actor, "configure_desk")
    now = desk.clock()
    content = wanted.model_dump(mode="json", exclude={"version", "from_year"})
    try:
        async with desk.database.writing.begin() as session:
            before = await _newest(session)
            if (before.version if before else 0) != wanted.version:
                raise PointsChangedError
            version = wanted.version + 1
            session.add(
                PointRules(
                    version=version,
                    from_year=wanted.from_year,
                    content=content,
                    set_at=now,
                    set_by=actor.name,
                )
            )
            audit.note(session, now, actor=actor, action="points_set", subject=str(version))
    except IntegrityError as error:
        raise PointsChangedError from error
    return version


async def count(session: Session, year: int, name: str, own: ColumnElement[bool]) -> Points | None:
    """The points for these items of the year of an author of this name; None without rules."""
    row = await session.scalar(
        select(PointRules)
        .where(PointRules.from_year <= year)
        .order_by(PointRules.version.desc())
        .limit(1)
    )
    rules = _rules(row) if row is not None else None
    if rules is None or not any(rules.worth.values()):
        return None
    mine = (own, Item.year == year, Item.combined.is_(False))
    found: dict[UUID, set[tuple[Kind, str]]] = defaultdict(set)
    level = Event.data["office"]["level"].as_string()
    for holds, kind in (
        (tallies.holds(), Event.data["manner"].as_string()),
        (Event.kind == "instructed", literal("instructed")),
    ):
        query = select(Item.id, kind, level).join(Event, Event.item_id == Item.id)
        for item_id, said, at in await session.execute(query.where(*mine, holds).distinct()):
            found[item_id].add((said, at))
    rows = await session.execute(
        select(Item.id, Item.title, Edition.authors)
        .join(Edition, (Edition.item_id == Item.id) & (Edition.number == Item.edition))
        .where(*mine, Item.id.in_(list(found)))
        .order_by(Item.created_at.desc(), Item.id.desc())
    )
    counted = [
        one
        for item_id, title, authors in rows
        if (one := _counted(rules, item_id, title, found[item_id], part_of(name, authors))).lines
    ]
    return Points(sum((one.points for one in counted), Decimal(0)), counted, rules)


def lines_of(rules: Rules, found: Iterable[tuple[Kind, str]]) -> list[Line]:
    """What brings points by these rules, from the lowest level to the highest."""
    made: list[Line] = []
    said = set(found)
    for level in LEVELS:
        adopted = [
            Line(kind, level, worth)
            for kind in ("single", "combined")
            if (kind, level) in said and (worth := _worth(rules, kind, level))
        ]
        # At one level an item counts as adopted once.
        made += [max(adopted, key=lambda line: line.worth)] if adopted else []
    if rules.levels == "highest" and made:
        best = max(made, key=lambda line: line.worth)
        made = [line if line is best else _aside(line) for line in made]
    for level in LEVELS:
        if ("instructed", level) in said and (worth := _worth(rules, "instructed", level)):
            made.append(Line("instructed", level, worth))
    return made


def part_of(name: str, authors: Sequence[Mapping[str, Any]]) -> Fraction:
    """An author's part: what was agreed, or one of as many as there are."""
    own = [author for author in authors if author["name"] == name]
    if len(own) == 1 and own[0].get("share"):
        return Fraction(own[0]["share"])
    return Fraction(1, max(len(authors), 1))


def points_of(lines: Iterable[Line], part: Fraction) -> Decimal:
    """The points, rounded half up."""
    whole = sum((line.worth for line in lines if line.counts), Decimal(0))
    exact = whole * part.numerator / part.denominator
    return exact.quantize(CENT, ROUND_HALF_UP)


def _counted(
    rules: Rules, item_id: UUID, title: str, found: Iterable[tuple[Kind, str]], part: Fraction
) -> Counted:
    part = part if rules.authors == "parts" else Fraction(1)
    lines = lines_of(rules, found)
    return Counted(item_id, title, lines, part, points_of(lines, part))


def _aside(line: Line) -> Line:
    return Line(line.kind, line.level, line.worth, counts=False)


def _worth(rules: Rules, kind: Kind, level: str) -> Decimal:
    worth: Mapping[Any, Decimal] = rules.worth.get(kind, {})
    return worth.get(level, Decimal(0))


def _rules(row: PointRules) -> Rules:
    return Rules.model_validate(row.content | {"version": row.version, "from_year": row.from_year})


async def _newest(session: Session) -> PointRules | None:
    query = select(PointRules).order_by(PointRules.version.desc()).limit(1)
    row: PointRules | None = await session.scalar(query)
    return row
