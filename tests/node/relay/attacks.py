"""What an attack is: a delivery to a real office, and the code with which it must be refused."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from types import ModuleType

from protocol.identifiers import NodeId
from tests.node.relay.ends import CITY, COUNTY, End, Ends

Make = Callable[[Ends], bytes] | Callable[[Ends], Awaitable[bytes]]


@dataclass(frozen=True)
class Attack:
    """One attack. Its docstring says what the attacker has, and what for.

    `proven` is the neighbour that signed it, where one did: then quarantine names it, and unless it
    is a receipt, that neighbour is `told`.
    """

    code: str
    make: Make
    at: NodeId
    proven: NodeId | None
    told: bool

    def door(self, ends: Ends) -> End:
        """The office that is attacked."""
        return ends.county if self.at == COUNTY else ends.city

    def neighbour(self) -> NodeId:
        """The office whose messages are expected there."""
        return CITY if self.at == COUNTY else COUNTY

    async def token(self, ends: Ends) -> bytes:
        """What the attacker delivers, after what must come before it."""
        made = self.make(ends)
        return await made if inspect.isawaitable(made) else made


def refused(
    code: str, *, at: NodeId = CITY, proven: NodeId | None = None, told: bool = False
) -> Callable[[Make], Attack]:
    """Makes an attack of the function that makes the delivery."""
    return lambda make: Attack(code, make, at, proven, told)


def collect(modules: Iterable[ModuleType]) -> dict[str, Attack]:
    """The attacks of these modules by their names."""
    return {
        name: member
        for module in modules
        for name, member in vars(module).items()
        if isinstance(member, Attack)
    }
