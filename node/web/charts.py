"""Charts as the server draws them: where each column of a year stands, in hundredths of the plot.

Templates make SVG of it (`templates/charts.html`). Pure: numbers in, numbers out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from node.workflow.tallies import Count

WIDE, NARROW = 0.68, 0.34
"""Of the room for a month: the column of all, and within it that of those adopted."""
STEPS = (1, 2, 5)
LEFT = 7
"""Room for what the lines stand for."""


@dataclass(frozen=True)
class Column:
    """A month. Places and sizes are percentages."""

    month: int
    count: Count
    middle: str
    x: str
    width: str
    height: str
    y: str
    inner_x: str
    inner_width: str
    inner_height: str
    inner_y: str


@dataclass(frozen=True)
class Columns:
    """A year: `lines` are the heights of its lines with what they stand for."""

    columns: Sequence[Column]
    lines: Sequence[tuple[int, str]]


def columns(months: Mapping[int, Count]) -> Columns:
    """The columns of these months."""
    step = _step(max((count.submitted for count in months.values()), default=0))
    top = 4 * step
    room = (100 - LEFT) / len(months)
    made = []
    for place, (month, count) in enumerate(months.items()):
        whole, part = 100 * count.submitted / top, 100 * count.adopted / top
        middle = LEFT + (place + 0.5) * room
        made.append(
            Column(
                month,
                count,
                _percent(middle),
                _percent(middle - room * WIDE / 2),
                _percent(room * WIDE),
                _percent(whole),
                _percent(100 - whole),
                _percent(middle - room * NARROW / 2),
                _percent(room * NARROW),
                _percent(part),
                _percent(100 - part),
            )
        )
    return Columns(made, [(at * step, _percent(100 - 25 * at)) for at in range(1, 5)])


def share(value: int, most: int) -> str:
    """How long a bar is beside the longest one."""
    return _percent(100 * value / most if most else 0)


def rate(part: int, whole: int) -> str:
    """The part of the whole as a percentage, half up."""
    if not whole:
        return "—"
    exact = Decimal(100 * part) / Decimal(whole)
    return f"{exact.quantize(Decimal('0.01'), ROUND_HALF_UP)}%"


def _step(most: int) -> int:
    """A fourth of the height: 1, 2 or 5 with noughts, so that the highest column fits."""
    size = 1
    while True:
        for step in STEPS:
            if 4 * step * size >= most:
                return step * size
        size *= 10


def _percent(value: float) -> str:
    return f"{round(value, 2):g}%"
