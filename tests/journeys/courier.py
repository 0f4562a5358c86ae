"""A courier between two offices: exports at one end, carries copies, imports them at the other,
more often than once and in any order.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from node.relay.files import Exporter, Imported, take_in_file
from protocol.identifiers import NodeId
from tests.node.rooms import Room


@dataclass
class Courier:
    """Remembers every file that was ever carried to an office."""

    folder: Path
    random: Random
    carried: dict[str, list[Path]] = field(default_factory=dict)
    _written: int = 0

    async def carry(self, sender: Room, recipient: Room, *, limit: int = 3) -> list[Imported]:
        """Export what the recipient lacks; import it twice, among everything carried before."""
        for file in await self.export(sender, recipient.desk.node, limit=limit):
            copy = file.with_name(f"copy-{file.name}")
            shutil.copy(file, copy)
            self.carried.setdefault(recipient.desk.node, []).extend((file, copy))
        files = self.carried.get(recipient.desk.node, [])
        self.random.shuffle(files)
        return [await take_in(recipient, file) for file in files]

    async def export(self, sender: Room, to: NodeId, *, limit: int = 3) -> list[Path]:
        """Write what an office has not received; the files."""
        self._written += 1
        path = self.folder / f"{sender.desk.node}-{self._written}.zip"
        exporter = Exporter(sender.desk, sender.node.signer(), incarnation=1)
        done = await exporter.export(to, path, by="operator", limit=limit, progress=silently)
        return list(done.files)


async def take_in(room: Room, file: Path) -> Imported:
    """Import one file at an office."""
    return await take_in_file(
        room.desk, room.node.settings.relay, file, by="operator", progress=silently
    )


def silently(_done: int, _total: int) -> None:
    """Show no progress."""
