"""The JSON of people and units: what is answered, and what is asked for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from node.api.shapes import Shape
from node.workflow.appointments import Term
from node.workflow.people import Newcomer, Particulars
from node.workflow.units import Code, UnitGiven
from protocol.offices import BIGGEST, Day, Line, Text

Version = Annotated[int, Field(ge=1, le=BIGGEST)]


class NewPassword(Shape):
    """A change of one's own password."""

    old: str
    new: str


class Seen(Shape):
    """The version of the record that the caller looked at."""

    version: Version


class Stop(Seen):
    """Why an account is disabled."""

    reason: Text


class Departure(Seen):
    """From which day on somebody is gone, and where to, or why."""

    on: Day
    left_for: Line


class OneTime(Seen):
    """A one-time password."""

    password: str


class Change(Particulars):
    """New particulars of a person."""

    version: Version

    def particulars(self) -> Particulars:
        """Without the version."""
        return Particulars(**self.model_dump(exclude={"version"}))


class Addition(Newcomer):
    """A person to be added; without a password nobody logs in with the account yet."""

    password: str | None = None

    def newcomer(self) -> Newcomer:
        """Without the password."""
        return Newcomer(**self.model_dump(exclude={"password"}))


class Joining(Seen):
    """A unit that the person belongs to from a day on."""

    unit: Line
    since: Day
    main: bool = False


class Ending(Seen):
    """The last day of something."""

    until: Day


class Appointing(Term):
    """An appointment."""

    version: Version

    def term(self) -> Term:
        """Without the version."""
        return Term(**self.model_dump(exclude={"version"}))


class UnitChange(UnitGiven):
    """New particulars of a unit."""

    version: Version

    def given(self) -> UnitGiven:
        """Without the version."""
        return UnitGiven(**self.model_dump(exclude={"version"}))


class Closing(Seen):
    """From which day on a unit is closed."""

    on: Day


class Made(BaseModel):
    """The id of something new."""

    id: UUID


class MembershipShape(BaseModel):
    """A unit that the person belongs to, or belonged to; both days included."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    unit: Code
    name: str
    kind: str
    main: bool
    since: date
    until: date | None


class AppointmentShape(BaseModel):
    """An appointment; both days included."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    certificate: str
    since: date
    until: date


class SeenPerson(BaseModel):
    """A person as the caller may see him: what he may not see is empty."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    username: str
    name: str
    roles: list[str]
    kind: str | None
    unit: str | None
    left_on: date | None
    left_for: str | None
    version: int | None = None
    employee_number: str | None = None
    phone: str | None = None
    email: str | None = None
    disabled_at: datetime | None = None
    must_change: bool | None = None
    erased_at: datetime | None = None
    created_at: datetime | None = None


class SeenWhole(SeenPerson):
    """The same with units and appointments, the newest first."""

    memberships: list[MembershipShape]
    appointments: list[AppointmentShape]


class PeopleList(BaseModel):
    """A part of the people."""

    people: list[SeenPerson]
    total: int


class ExpiringShape(BaseModel):
    """An appointment that ends soon, or ended a short while ago."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    person_id: UUID
    name: str
    unit: str | None
    kind: str
    certificate: str
    until: date


class ExpiringList(BaseModel):
    """What ends soonest first."""

    appointments: list[ExpiringShape]


class UnitShape(BaseModel):
    """A unit; `parent_id` is the unit above it."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    code: str
    name: str
    kind: str
    parent_id: UUID | None
    closed_on: date | None
    version: int


class UnitList(BaseModel):
    """All units."""

    units: list[UnitShape]


class PersonCopy(BaseModel):
    """Everything that is kept of a person, with what he wrote."""

    office: dict[str, Any]
    at: datetime
    person: SeenWhole
    items: list[dict[str, Any]]
