"""The demo's offices, people and manuscripts: one province, two cities, four counties."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from node.cli import manuscript
from node.errors import ConfigurationError
from node.workflow.submissions import CoAuthor, Draft

FOLDER = Path(__file__).parents[3] / "deploy" / "demo"
PASSWORD = "zhitong-demo"  # noqa: S105 - the demo listens on loopback only


@dataclass(frozen=True)
class OfficePlan:
    """One office of the demo."""

    id: str
    name: str
    level: str
    parent: str | None
    region_code: str
    editor: str
    """The name of its editor."""


OFFICES = (
    OfficePlan("jiangyuan", "江原省政协", "province", None, "990000", "秦书明"),
    OfficePlan("yunzhou", "云州市政协", "city", "jiangyuan", "990100", "马静仪"),
    OfficePlan("lanjiang", "澜江市政协", "city", "jiangyuan", "990200", "卢正平"),
    OfficePlan("donghu", "东湖县政协", "county", "yunzhou", "990121", "周静"),
    OfficePlan("xishan", "西山县政协", "county", "yunzhou", "990122", "何立新"),
    OfficePlan("nanhe", "南河区政协", "county", "lanjiang", "990202", "沈若溪"),
    OfficePlan("beigang", "北港县政协", "county", "lanjiang", "990221", "郭海宁"),
)
BY_ID = {office.id: office for office in OFFICES}


@dataclass(frozen=True)
class Account:
    """An author's account at a county."""

    office: str
    username: str
    name: str
    kind: str
    unit: str


@dataclass(frozen=True)
class Manuscript:
    """An item to be submitted, by the first of its authors."""

    number: int
    office: str
    authors: tuple[Account, ...]
    draft: Draft


@dataclass(frozen=True)
class Cast:
    """Everyone and everything in the demo."""

    accounts: tuple[Account, ...]
    manuscripts: tuple[Manuscript, ...]
    reasons: dict[str, list[dict[str, Any]]]

    def reason(self, kind: str, number: int) -> dict[str, Any] | None:
        """What the demo says about this item, if anything."""
        return next((one for one in self.reasons[kind] if one["item"] == number), None)


def load() -> Cast:
    """Read the demo's texts. Raises `ConfigurationError` where they are not installed."""
    files = sorted((FOLDER / "items").glob("*.md"))
    if not files:
        raise ConfigurationError(f"the demo's texts are missing: {FOLDER}")
    accounts: dict[tuple[str, str], Account] = {}
    manuscripts = [_manuscript(file, accounts) for file in files]
    reasons = tomllib.loads((FOLDER / "reasons.toml").read_text("utf-8"))
    return Cast(tuple(accounts.values()), tuple(manuscripts), reasons)


def _manuscript(file: Path, accounts: dict[tuple[str, str], Account]) -> Manuscript:
    draft, front = manuscript.parse_with_front_matter(file.read_text("utf-8"))
    office = front["office"]
    authors = []
    for person in manuscript.people(front["authors"]):
        key = (office, person["name"])
        if key not in accounts:
            count = sum(1 for known, _ in accounts if known == office) + 1
            accounts[key] = Account(office=office, username=f"{office}{count}", **person)
        authors.append(accounts[key])
    others = tuple(CoAuthor(username=author.username) for author in authors[1:])
    return Manuscript(
        number=int(file.name[:2]),
        office=office,
        authors=tuple(authors),
        draft=draft.model_copy(update={"co_authors": others}),
    )
