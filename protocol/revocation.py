"""Which certificates no longer count: values that verification is handed. Opens no list itself.

A certificate is named by the digest of its issuer's public key and its serial number, so a list
says something about certificates of its own issuer and about no others, whatever stands in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from protocol.identifiers import Digest, NodeId


class Certified(NamedTuple):
    """A certificate: its issuer's key, and its serial number in lower-case hexadecimal digits."""

    issuer: Digest
    serial: str


@dataclass(frozen=True)
class Revocation:
    """That a certificate does not count any more. A `hold` may be lifted by a later list."""

    serial: str
    node: NodeId
    at: datetime
    compromised_since: datetime | None
    hold: bool
    reason: str

    @property
    def since(self) -> datetime:
        """From when on what was signed does not count: what is known to be older does."""
        return self.compromised_since or self.at


@dataclass(frozen=True)
class KnownList:
    """All that one issuing key has revoked."""

    issuer: NodeId
    key: Digest
    number: int
    issued_at: datetime
    next_update: datetime
    revoked: tuple[Revocation, ...]

    def for_good(self) -> dict[str, Revocation]:
        """What no later list may lift, by serial number."""
        return {entry.serial: entry for entry in self.revoked if not entry.hold}


class Comparison(Enum):
    """What a list is beside the one that is known of the same issuing key."""

    NEWER = "newer"
    KNOWN = "known"
    OLDER = "older"
    LIFTS = "lifts"
    """It has a higher number and leaves out what was revoked for good."""


class Revoked:
    """What is known to be revoked, by the newest list of each issuing key."""

    def __init__(self, lists: Iterable[KnownList] = ()) -> None:
        self._lists = {known.key: known for known in lists}
        self._entries = {
            Certified(known.key, entry.serial): entry
            for known in self._lists.values()
            for entry in known.revoked
        }

    @property
    def numbers(self) -> dict[Digest, int]:
        """The number of each list."""
        return {key: known.number for key, known in self._lists.items()}

    def list_of(self, key: Digest) -> KnownList | None:
        """The list of an issuing key, where one is known."""
        return self._lists.get(key)

    def of(self, certified: Iterable[Certified]) -> Revocation | None:
        """What is revoked of these certificates: for good before for a time, then the earliest."""
        found = [self._entries[one] for one in certified if one in self._entries]
        return min(found, key=lambda entry: (entry.hold, entry.since), default=None)

    def compare(self, other: KnownList) -> Comparison:
        """What the list is beside the known one."""
        known = self._lists.get(other.key)
        if known is None:
            return Comparison.NEWER
        if other.number <= known.number:
            return Comparison.KNOWN if other.number == known.number else Comparison.OLDER
        lifts = known.for_good().keys() - other.for_good().keys()
        return Comparison.LIFTS if lifts else Comparison.NEWER

    def taking(self, other: KnownList) -> Revoked:
        """The same with this list, if it is newer."""
        if self.compare(other) is not Comparison.NEWER:
            return self
        return Revoked([*(self._lists | {other.key: other}).values()])
