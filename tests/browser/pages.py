"""Every page, in one table: who sees it, and what others are answered.

The access walk (`tests/node/web/test_access.py`), the survey and the pictures all go through this
table; an address without a row here fails the walk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from node.workflow import access
from protocol.lifecycle import Action
from tests.offices import PASSWORD

READERS = frozenset({access.AUTHOR, access.EDITOR, access.REVIEWER, access.SIGNER, access.LEADER})
ALL = frozenset(access.ROLES)


@dataclass(frozen=True)
class Look:
    """Somebody who looks at the page: for checks of what is on it, and for pictures."""

    name: str
    username: str | None
    office: str = "donghu"
    item: str = "heard"
    """Which item of the scene."""
    query: str = ""

    def path(self, page: Page, items: Mapping[str, UUID]) -> str:
        """The address of the page, as this person opens it."""
        return page.path(items[self.item]) + self.query


@dataclass(frozen=True)
class Page:
    """A page, by the path of its route."""

    route: str
    looks: tuple[Look, ...]
    roles: frozenset[str] = ALL
    """Who sees it."""
    refused: int = 403
    """The answer to all others who are signed in."""
    foreign: int | None = None
    """The answer to an author whose item it is not."""
    open: bool = False
    """Also for those who are not signed in, who are sent to the form otherwise."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What is asked for in the access walk."""

    def path(self, item: UUID) -> str:
        """Its address, for this item."""
        return self.route.replace("{item_id}", str(item))


@dataclass(frozen=True)
class Form:
    """What a page sends, by the path of its route; it changes something."""

    route: str
    roles: frozenset[str] = ALL
    """Who may send it."""
    content: Mapping[str, str] = field(default_factory=dict)
    before: tuple[Action, ...] = ()
    """What was done with an item that was just submitted."""
    answer: int = 303
    """To those who may."""
    open: bool = False
    """Also for those who are not signed in."""

    def path(self, item: UUID) -> str:
        """Its address, for this item."""
        return self.route.replace("{item_id}", str(item))


PAGES: tuple[Page, ...] = (
    Page("/login", (Look("login", None),), open=True),
    Page(
        "/",
        (
            Look("items-author", "lin"),
            Look("items-editor", "editor"),
            Look("items-city", "editor", "yunzhou"),
            Look("items-none", "lin", query="?state=merged"),
            Look("items-administrator", "admin"),
        ),
    ),
    Page(
        "/notices",
        (Look("notices", "lin"), Look("notices-none", "reviewer")),
    ),
    Page(
        "/items/{item_id}",
        (
            Look("item-author", "lin"),
            Look("item-editor", "editor", item="fresh"),
            Look("item-returned", "lin", item="returned"),
            Look("item-declined", "lin", item="declined"),
            Look("item-long", "lin", item="long"),
            Look("item-city", "editor", "yunzhou"),
            Look("item-province", "signer", "jiangyuan"),
            Look("item-not-found", "chen", item="fresh"),
        ),
        roles=READERS,
        foreign=404,
    ),
)

FORMS: tuple[Form, ...] = (
    Form("/login", content={"username": "lin", "password": PASSWORD}, open=True),
    Form("/logout", open=True),
)

BESIDE = frozenset({"/style.css", "/icon.svg"})
"""Addresses that are no pages and are the same for everybody."""
