"""The hierarchies of the simulator: who stands below whom, in up to four levels and twelve offices.

Keys, certificates and the ids of people follow from names, so that they are the same in every
process: a schedule repeats byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from protocol.identifiers import NodeId, node_id
from protocol.offices import OfficeReference
from tests import authorities
from tests.factories import NOW

Parents = Mapping[str, str | None]

SHAPES: dict[str, Parents] = {
    "county and city": {"city": None, "county": "city"},
    "two counties": {"city": None, "county-1": "city", "county-2": "city"},
    "county-to-province": {"province": None, "county-1": "province", "county-2": "province"},
    "three in line": {"province": None, "city": "province", "county": "city"},
    "uneven": {
        "province": None,
        "city": "province",
        "county-1": "city",
        "county-2": "city",
        "county-3": "province",
    },
    "four in line": {
        "nation": None,
        "province": "nation",
        "city": "province",
        "county": "city",
    },
    "a province": {
        "province": None,
        "city-1": "province",
        "city-2": "province",
        "county-1": "city-1",
        "county-2": "city-1",
        "county-3": "city-2",
        "county-4": "city-2",
    },
    "a nation": {
        "nation": None,
        "province-1": "nation",
        "province-2": "nation",
        "city-1": "province-1",
        "city-2": "province-1",
        "city-3": "province-2",
        "county-1": "city-1",
        "county-2": "city-1",
        "county-3": "city-2",
        "county-4": "city-2",
        "county-5": "city-3",
        "county-6": "province-2",
    },
}
OFTEN = (4, 4, 3, 5, 3, 3, 2, 1)
"""How often each shape is drawn: small ones more often, since they reach more states a second."""

NAMES = {"nation": "全国政协", "province": "省政协", "city": "市政协", "county": "县政协"}
DAYS = 3650


@dataclass(frozen=True)
class Post:
    """One office in its hierarchy, with all that it is set up with."""

    reference: OfficeReference
    parent: OfficeReference | None
    children: tuple[OfficeReference, ...]
    authority: authorities.Office


@cache
def posts(shape: str) -> dict[NodeId, Post]:
    """The offices of a shape, the top first."""
    parents = SHAPES[shape]
    offices = authorities.hierarchy(parents, now=NOW - timedelta(days=1), days=DAYS)
    references = {name: _reference(name) for name in parents}
    return {
        node_id(name): Post(
            reference=references[name],
            parent=references[above] if above is not None else None,
            children=tuple(references[below] for below, its in parents.items() if its == name),
            authority=offices[name],
        )
        for name, above in parents.items()
    }


def _reference(name: str) -> OfficeReference:
    level, _, number = name.partition("-")
    return OfficeReference.model_validate(
        {"id": name, "name": f"{number}{NAMES[level]}", "level": level}
    )
