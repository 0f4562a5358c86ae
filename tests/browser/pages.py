"""Every page, in one table: who sees it, and what others are answered.

The access walk (`tests/node/web/test_access.py`), the survey and the pictures all go through this
table; an address without a row here fails the walk. What pages send stands in `forms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from node.workflow import access
from protocol.lifecycle import Action
from tests.browser import things
from tests.browser.things import Make

ALL = frozenset(access.ROLES)


def may(action: str) -> frozenset[str]:
    """Whoever has this permission (`tests/node/workflow/test_access.py` says who that is)."""
    return frozenset(access.MAY[action])


READERS = may("read")


@dataclass(frozen=True)
class Look:
    """Somebody who looks at the page: for checks of what is on it, and for pictures."""

    name: str
    username: str | None
    office: str = "donghu"
    thing: str = "heard"
    """What of the scene stands in the address."""
    query: str = ""
    answer: int = 200

    def path(self, page: Page, scene: Mapping[str, object]) -> str:
        """The address of the page, as this person opens it."""
        query = re.sub(r"\{(\w+)\}", lambda found: str(scene[found[1]]), self.query)
        return filled(page.route, scene[self.thing]) + query


@dataclass(frozen=True)
class Page:
    """A page, by the path of its route."""

    route: str
    looks: tuple[Look, ...] = ()
    roles: frozenset[str] = ALL
    """Who sees it."""
    sees: frozenset[str] | None = None
    """Who looks at it in the walk, where not everybody who may has such a thing."""
    refused: int = 403
    """The answer to all others who are signed in."""
    foreign: int | None = None
    """The answer to an author whose item it is not."""
    make: Make | None = None
    """Of what it is about, where that is not what `things.MAKERS` says."""
    open: bool = False
    """Also for those who are not signed in, who are sent to the form otherwise."""
    query: Mapping[str, str] = field(default_factory=dict)
    """What is asked for in the access walk; `{it}` is the thing in the address."""
    answer: int = 200


def filled(route: str, thing: object) -> str:
    """The route with this in the place of its parameter."""
    before, mark, after = route.partition("{")
    return before + str(thing) + after.partition("}")[2] if mark else route


PAGES: tuple[Page, ...] = (
    Page("/", answer=303),
    Page("/login", (Look("login", None),), open=True),
    Page("/password", (Look("password", "lin"),)),
    Page("/design", (Look("design", None),), open=True),
    Page(
        "/public",
        (Look("public", None), Look("public-signed-in", "editor")),
        open=True,
    ),
    Page("/public/receipt", (Look("public-find", None),), open=True),
    Page(
        "/public/{code}",
        (Look("public-receipt", None, thing="receipt"),),
        open=True,
    ),
    Page("/public-form", (Look("public-form", "admin"),), may("configure_desk")),
    Page("/display", (Look("display", "lin"), Look("display-large", "chen")), open=True),
    Page(
        "/items",
        (
            Look("items-author", "lin"),
            Look("items-editor", "editor"),
            Look("items-leader", "leader", "yunzhou"),
            Look("items-found", "editor", query="?q=充电&topic=city"),
            Look("items-none", "lin", query="?state=merged"),
        ),
        READERS,
    ),
    Page(
        "/items/{item_id}",
        (
            Look("item-author", "lin"),
            Look("item-editor", "editor", thing="fresh"),
            Look("item-returned", "lin", thing="returned"),
            Look("item-declined", "lin", thing="declined"),
            Look("item-long", "lin", thing="long"),
            Look("item-city", "editor", "yunzhou"),
            Look("item-province", "signer", "jiangyuan"),
            Look("item-not-found", "chen", thing="fresh", answer=404),
            Look("item-review", "signer", thing="passed"),
            Look("item-combined", "editor", "yunzhou", thing="combined"),
        ),
        READERS,
        foreign=404,
    ),
    Page("/items/{item_id}/timeline", roles=READERS, foreign=404),
    Page(
        "/items/{item_id}/similar",
        (Look("item-similar", "editor"),),
        READERS,
        foreign=404,
    ),
    Page(
        "/items/{item_id}/lineage",
        (
            Look("item-lineage", "editor", "yunzhou", thing="combined"),
            Look("item-lineage-back", "editor"),
        ),
        may("read_merges"),
        foreign=404,
    ),
    Page("/write", (Look("write", "lin"),), may("submit")),
    Page(
        "/drafts/{draft_id}/versions",
        (
            Look("draft-versions", "lin", thing="sketched", query="?version=1"),
            Look("draft-versions-none", "lin", thing="begun"),
        ),
        may("draft"),
        sees=frozenset({access.AUTHOR}),
    ),
    Page(
        "/items/{item_id}/resubmit",
        (Look("resubmit", "lin", thing="returned"),),
        may("resubmit"),
        make=things.after(Action.REGISTER, Action.RETURN),
        foreign=404,
    ),
    Page(
        "/items/{item_id}/edit",
        (Look("edit", "editor", thing="edited"),),
        may("edit"),
    ),
    Page(
        "/items/{item_id}/comparison",
        (Look("comparison", "editor", thing="edited"),),
        may("review"),
    ),
    Page(
        "/desk",
        (
            Look("desk-editor", "editor"),
            Look("desk-signer", "signer"),
            Look("desk-reviewer", "reviewer"),
        ),
        may("review"),
    ),
    Page(
        "/desk/{queue}",
        (Look("desk-candidates", "editor", thing="queue"),),
        may("review"),
    ),
    Page("/selection", (Look("selection", "editor", "yunzhou"),), may("forward_up")),
    Page(
        "/merge",
        (Look("merge", "editor", thing="fresh", query="?item={fresh}&item={similar}"),),
        may("merge"),
        query={"item": "{it}"},
        make=things.after(Action.REGISTER),
    ),
    Page(
        "/issues",
        (Look("issues", "editor"), Look("issues-none", "editor", "yunzhou")),
        may("read_issues"),
    ),
    Page(
        "/issues/{issue_id}",
        (Look("issue", "signer", thing="issue"), Look("issue-draft", "editor", thing="draft")),
        may("read_issues"),
    ),
    Page(
        "/issues/{issue_id}/edit",
        (Look("issue-edit", "editor", thing="draft"),),
        may("compose_issue"),
    ),
    Page(
        "/cases",
        (
            Look("cases", "editor"),
            Look("cases-handler", "handler"),
            Look("cases-settled", "editor", query="?column=settled"),
            Look("cases-none", "editor", "yunzhou"),
        ),
        may("read_assignments"),
    ),
    Page(
        "/cases/{case_id}",
        (
            Look("case-handler", "handler", thing="case"),
            Look("case-answered", "editor", thing="answered"),
        ),
        may("read_assignments"),
    ),
    Page(
        "/calls",
        (
            Look("calls", "editor"),
            Look("calls-author", "lin"),
            Look("calls-none", "chen", "yunzhou"),
        ),
        may("read_calls"),
    ),
    Page("/calls/new", (Look("call-new", "editor", "yunzhou"),), may("call")),
    Page(
        "/calls/{call_id}",
        (Look("call", "editor", thing="call"), Look("call-author", "lin", thing="call")),
        may("read_calls"),
    ),
    Page(
        "/notices",
        (Look("notices", "lin"), Look("notices-none", "reviewer")),
        READERS,
    ),
    Page("/year", (Look("year", "lin"), Look("year-none", "chen", "yunzhou")), may("rate")),
    Page(
        "/overview",
        (
            Look("overview", "leader", "yunzhou"),
            Look("overview-none", "editor", query="?year=2020"),
        ),
        may("read_hierarchy"),
    ),
    Page(
        "/hierarchy",
        (
            Look("hierarchy", "leader", "jiangyuan"),
            Look("hierarchy-admin", "admin", "yunzhou"),
            Look("hierarchy-none", "editor"),
        ),
        may("read_hierarchy"),
    ),
    Page(
        "/offices",
        (Look("offices", "admin", "yunzhou"), Look("offices-leaf", "admin")),
        may("manage_links"),
    ),
    Page(
        "/offices/{peer}",
        (Look("office", "admin", "yunzhou", thing="peer"),),
        may("manage_links"),
    ),
    Page(
        "/quarantine",
        (Look("quarantine", "admin"), Look("quarantine-none", "admin", "yunzhou")),
        may("manage_links"),
    ),
    Page("/topics", (Look("topics", "admin"),), may("configure_desk")),
    Page("/points", (Look("points", "admin"),), may("configure_desk")),
    Page("/chain", (Look("chain", "admin"),), may("configure_desk")),
    Page(
        "/archive",
        (Look("archive", "editor"), Look("archive-none", "editor", "yunzhou")),
        may("archive"),
    ),
    Page("/deputies", (Look("deputies", "signer"),), may("name_deputy")),
    Page("/people", (Look("people", "security"),), may("manage_people")),
    Page("/people/new", (Look("person-new", "security"),), may("manage_people")),
    Page(
        "/people/{person_id}",
        (Look("person", "security", thing="person"),),
        may("manage_people"),
    ),
    Page("/units", (Look("units", "security"),), may("manage_people")),
    Page(
        "/imports/{what}",
        (Look("import-people", "security", thing="sheet"),),
        may("manage_people"),
    ),
    Page("/audit", (Look("audit", "auditor"),), may("read_audit")),
    Page(
        "/sign-ins",
        (
            Look("sign-ins", "security"),
            Look("sign-ins-none", "auditor", query="?actor=nobody"),
        ),
        may("read_sign_ins"),
    ),
)

BESIDE = ("/static/style.css", "/static/pages.js", "/static/icon.svg")
"""Addresses that are no pages and are the same for everybody."""

OTHER = frozenset(
    {
        ("GET", "/static/{name:path}"),
        ("GET", "/live"),
        ("GET", "/items/{item_id}/attachments/{digest}"),
    }
)
"""Routes of what is no page: those addresses, the stream (`test_live`), and files
(`test_previews`)."""
