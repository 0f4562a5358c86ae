"""Printing an item and its timeline on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from node.cli.common import OFFICE_TIME
from node.workflow import phrases
from node.workflow.reading import ItemView

COLOURS = {
    "adopted": "green",
    "instructed": "green",
    "implemented": "green",
    "returned": "yellow",
    "declined": "red",
    "closed": "cyan",
    "archived": "cyan",
}


def print_item(view: ItemView, console: Console | None = None) -> None:
    """The item's head, and one line an event."""
    console = console or Console(highlight=False)
    item = view.item
    console.print(Text(item.title, style="bold"))
    authors = "、".join(f"{a['name']}（{a['unit']}）" for a in view.edition.authors)
    console.print(f"  {item.id}")
    console.print(f"  作者：{authors}")
    state = phrases.STATES[item.state] + ("·已办结" if item.closed else "")
    console.print(f"  本级状态：{state}  编号：{item.number or '—'}  第 {item.edition} 稿")
    for file in view.files:
        far = phrases.file_state(file.complete, file.arrived, file.pieces, file.stopped)
        console.print(f"  附件：{file.name}（{phrases.size(file.size)}）{far}", markup=False)
    console.print()
    lines = Table.grid(padding=(0, 1))
    lines.add_column(no_wrap=True)
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for entry in view.timeline:
        when = entry.at.astimezone(OFFICE_TIME).strftime("%Y-%m-%d %H:%M:%S")
        lines.add_row(
            f"  {when}",
            Text("✓" if entry.proven else " ", style="green"),
            Text(entry.sentence, style=COLOURS.get(entry.kind, "")),
        )
    console.print(lines)
    console.print("\n  ✓ 来自其他机关，已核验其数字签名", style="dim")
