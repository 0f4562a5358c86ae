"""An office's own place in the tree: whose words count here, and as what.

An office that is moved keeps its node id and its keys, so what it certified stays as it was, under
a chain that is another one from then on. Its former places are remembered:

 1. Its former parent counts directly until the link to it ends. Who stood above there counts as
    evidence for good: whoever carries it took it in while it counted.
 2. What this office certified counts under every line that its issuing key ever had.
 3. An office above stays the parent only under the chain that it has now: what it signed under the
    other one was not received, and is signed again.
 4. What was signed below an office that has come below this one, before it came, is known by the
    issuing key of that office (`known_below`), whatever line it had then.

Where the office stands changes while it runs: `move` replaces one state by another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from protocol.trust import IssuingOffice, Path

Line = tuple[IssuingOffice, ...]


@dataclass(frozen=True)
class Former:
    """Where the office stood before, and, if it had another parent there, whether that one counts.

    `drains` is False where the parent is still the same one, moved itself.
    """

    own: Path
    drains: bool = False
    until: datetime | None = None
    """When the link to that parent ends; None while nobody said."""


class Place:
    """One office's place, and those that it had before."""

    def __init__(
        self, own: Path, issuing: IssuingOffice | None = None, formers: Sequence[Former] = ()
    ) -> None:
        self.issuing = issuing
        self.known_below: frozenset[IssuingOffice] = frozenset()
        """Offices below that certify others, as their own lists say under their present lines."""
        self.move(own, formers)

    def move(self, own: Path, formers: Iterable[Former]) -> None:
        """Stand here from now on, and have stood there before."""
        self.own = own
        self.formers = tuple(formers)
        self._certifies = self._line_of(own)
        lines = [self._line_of(former.own) for former in self.formers]
        self._lines = tuple(line for line in (self._certifies, *lines) if line is not None)

    def _line_of(self, own: Path) -> Line | None:
        if self.issuing is None:
            return None
        is_root = own.issuers == (self.issuing,)
        return own.issuers if is_root else (*own.issuers, self.issuing)

    @property
    def owns(self) -> tuple[Path, ...]:
        """This office's own path, and those that it had before."""
        return (self.own, *(former.own for former in self.formers))

    @property
    def certifies(self) -> Line | None:
        """The issuers of whatever this office certifies itself; None where it certifies nothing."""
        return self._certifies

    @property
    def lines(self) -> tuple[Line, ...]:
        """The issuers of whatever this office ever certified, those of now first."""
        return self._lines

    @property
    def parent(self) -> Path | None:
        """The path of the office above; None at the top."""
        return _above(self.own)

    def is_own(self, path: Path) -> bool:
        """Whether the path is, or was, this office's."""
        return path in self.owns

    def is_parent(self, path: Path, now: datetime | None = None) -> bool:
        """Whether the path is the office above, or was and counts still (without `now`, ever)."""
        return path == self.parent or any(
            path == _above(former.own)
            for former in self.formers
            # 1.
            if former.drains and (now is None or former.until is None or now < former.until)
        )

    def is_child(self, path: Path) -> bool:
        """Whether this office itself certified the office at the path's end."""
        # 2.
        return path.issuers in self._lines and path.node not in self.own.offices

    def is_above(self, path: Path) -> bool:
        """Whether the path is a proper prefix of one of this office's own, with the same keys."""
        return any(_leads_to(path, own) for own in self.owns)

    def stands_above(self, upper: Path, lower: Path) -> bool:
        """Whether, above this office, the one office stands or stood directly over the other."""
        if upper.offices == lower.offices[:-1]:
            return True
        return any(
            _leads_to(upper, own) and own.offices[len(upper.offices)] == lower.node
            for own in self.owns
        )

    def stands_below(self, lower: Path, upper: Path) -> bool:
        """Whether, below this office, the one office stands or stood directly under the other."""
        if lower.offices[:-1] == upper.offices:
            return True
        return self.is_below(lower) and lower.offices[-2:-1] == (upper.node,)

    def is_issuer_above(self, line: Line) -> bool:
        """Whether the issuing office at the end of the line is, or was, above this office."""
        return line not in self._lines and any(
            line == own.issuers[: len(line)] for own in self.owns
        )

    def is_own_issuer(self, line: Line) -> bool:
        """Whether it is this office itself."""
        return line in self._lines

    def is_issuer_below(self, line: Line) -> bool:
        """Whether it is below this office."""
        return any(len(line) > len(own) and line[: len(own)] == own for own in self._lines)

    def is_below(self, path: Path) -> bool:
        """Whether the path leads through an issuing key of this office or of one known below it."""
        if self._certifies is None or path.node in self.own.offices:
            return False
        # 2.
        if any(path.issuers[: len(own)] == own for own in self._lines):
            return True
        # 4.
        return not self.known_below.isdisjoint(path.issuers)


def _above(own: Path) -> Path | None:
    if len(own.offices) == 1:
        return None
    above = own.issuers[:-1] if len(own.issuers) > 1 else own.issuers
    return Path(above, own.issuers[-1].node)


def _leads_to(path: Path, own: Path) -> bool:
    count = len(path.offices)
    return (
        count < len(own.offices)
        and path.offices == own.offices[:count]
        and path.issuers == own.issuers[: len(path.issuers)]
    )
