"""The desk: everything that a use-case needs, handed in. Holds no key and opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from node.config import LimitSettings, NumberSettings, RetentionSettings
from node.storage.database import Database
from node.storage.shelf import Shelf
from protocol.identifiers import NodeId
from protocol.offices import OfficeReference
from protocol.place import Place
from protocol.trust import Chains

CLI = "cli"


@dataclass(frozen=True)
class Actor:
    """Who asks: a person with roles at this office.

    `came_from` is the client's address, or `cli` for whoever works on the machine itself.
    `must_change` holds for whoever has a one-time password, and does nothing else until then.
    """

    id: UUID
    username: str
    name: str
    roles: frozenset[str]
    kind: str | None = None
    unit: str | None = None
    came_from: str = CLI
    must_change: bool = False


@dataclass(frozen=True)
class Desk:
    """One office at work."""

    office: OfficeReference
    parent: OfficeReference | None
    database: Database
    chains: Chains
    place: Place
    clock: Callable[[], datetime]
    new_id: Callable[[], UUID]
    limits: LimitSettings
    shelf: Shelf
    stale_list: Literal["warn", "refuse"] = "warn"
    numbers: NumberSettings = field(default_factory=NumberSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)

    @property
    def node(self) -> NodeId:
        """This office's node."""
        return self.office.id
