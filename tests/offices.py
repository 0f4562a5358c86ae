"""Whole hierarchies for tests: real folders, keys, certificates and databases, built as an
operator would, on whatever databases and transport the test names.

The personae, the same in every test: at the county 东湖 the author Lin Xiaoyu (`lin`), her
colleague Chen Bo (`chen`, an author as well), and at every office the editor (`editor`), whoever
reviews (`reviewer`) and signs (`signer`), the leader (`leader`), the clerk of a department that
carries things out (`handler`), and the three administrators: of the system (`admin`), of people
and rights (`security`), and of the audit (`auditor`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from node import config
from node.bootstrap import enrolment
from node.bootstrap import node as bootstrap
from node.bootstrap.node import Half, Node
from node.config import OfficeSettings
from node.relay.memory import Switchboard
from node.storage.people import Person
from node.workflow import enrolment as requests
from node.workflow import passwords, people
from node.workflow.desk import Actor
from tests import tables

PASSWORD = "a-long-test-password"
QUICK: dict[str, object] = {"receipt_within": 2.0, "first_probe": 1.0}


@dataclass(frozen=True)
class Plan:
    """One office of a hierarchy, with those below it."""

    id: str
    name: str
    level: str
    below: tuple[Plan, ...] = ()


DONGHU = Plan("donghu", "东湖县政协", "county")
XISHAN = Plan("xishan", "西山县政协", "county")
DEPTH_2 = Plan("yunzhou", "云州市政协", "city", (DONGHU, XISHAN))
DEPTH_3 = Plan("jiangyuan", "江原省政协", "province", (DEPTH_2,))
DEPTH_4 = Plan("guojia", "全国政协", "nation", (DEPTH_3,))
DIRECT = Plan("jiangyuan", "江原省政协", "province", (DONGHU, XISHAN))
"""Counties that report straight to their province."""

HIERARCHIES = {"2": DEPTH_2, "3": DEPTH_3, "4": DEPTH_4, "county-to-province": DIRECT}

MakeDatabase = Callable[[str], Awaitable[str]]
"""Makes an empty database for an office and returns its address."""


@dataclass
class Hierarchy:
    """Offices that are set up; their nodes are started one by one, or all."""

    folder: Path
    broker: Callable[[str], str] | None
    """The address of a hub's broker."""
    management: Callable[[str], str] | None
    switchboard: Switchboard | None
    chain: list[str] = field(default_factory=list)
    """The offices from the author's county to the top."""
    nodes: dict[str, Node] = field(default_factory=dict)

    def settings(self, office: str) -> config.Settings:
        """The office's settings, from its file."""
        return config.load(self.folder / office)

    def open(self, office: str, half: Half = "both", **overrides: Any) -> Node:
        """Build the office's node anew, not started."""
        node = bootstrap.build(
            self.settings(office), half=half, switchboard=self.switchboard, **overrides
        )
        self.nodes[office] = node
        return node

    async def start(self, offices: Sequence[str] | None = None) -> None:
        """Start the nodes of these offices, or of all."""
        for office in offices if offices is not None else list(self.nodes):
            await self.nodes[office].start()

    async def stop(self) -> None:
        """Stop every node."""
        for node in self.nodes.values():
            await node.stop()

    async def actor(self, office: str, username: str = "editor") -> Actor:
        """One of the personae."""
        node = self.nodes[office]
        async with node.desk.database.reading() as session:
            return people.actor_of(await people.by_username(session, username))


async def build(
    folder: Path,
    plan: Plan,
    *,
    make_database: MakeDatabase | None = None,
    broker: str | Mapping[str, str] | None = None,
    management: str | Mapping[str, str] | None = None,
    relay: dict[str, object] | None = None,
) -> Hierarchy:
    """Set up every office of the plan: on one broker for all, or one for each hub.

    Without a broker, they talk through memory.
    """
    switchboard = Switchboard() if broker is None else None
    hierarchy = Hierarchy(folder, _by_hub(broker), _by_hub(management), switchboard)
    await _set_up(hierarchy, plan, None, make_database, {**QUICK, **(relay or {})})
    office: Plan | None = plan
    while office is not None:
        hierarchy.chain.insert(0, office.id)
        office = office.below[0] if office.below else None
    return hierarchy


def _by_hub(named: str | Mapping[str, str] | None) -> Callable[[str], str] | None:
    if named is None:
        return None
    return named.__getitem__ if isinstance(named, Mapping) else lambda hub: named


async def _set_up(
    hierarchy: Hierarchy,
    plan: Plan,
    parent: str | None,
    make_database: MakeDatabase | None,
    relay: dict[str, object],
) -> None:
    folder = hierarchy.folder / plan.id
    office = OfficeSettings(id=plan.id, name=plan.name, level=plan.level)
    content: dict[str, dict[str, object]] = {
        "web": {"port": 0, "secure_cookies": False, "design": True},
        "relay": relay,
    }
    if make_database is not None:
        content["database"] = {"url": await make_database(plan.id)}
    if plan.below and hierarchy.broker is not None:
        # With its account, which all offices of the tests share.
        own = hierarchy.broker(plan.id)
        content["hub"] = {"broker": own, "address": own}
        if hierarchy.management is not None:
            content["hub"]["management"] = hierarchy.management(plan.id)
    now = bootstrap.system_clock()
    enrolment.prepare(folder, office, content, hub=bool(plan.below) and parent is not None)
    if parent is None:
        enrolment.make_root(folder, office, now)
    else:
        await take_in(hierarchy.settings(parent), folder)
    await tables.furnish(hierarchy.settings(plan.id).database_url)
    node = hierarchy.open(plan.id)
    await add_people(node, now)
    for below in plan.below:
        await _set_up(hierarchy, below, plan.id, make_database, relay)


async def take_in(above: config.Settings, folder: Path) -> None:
    """Enrol the office in this folder below the other one, as across a gap."""
    desk = bootstrap.build(above, half="web").desk
    roles = frozenset({"system_administrator"})
    actor = Actor(id=desk.new_id(), username="admin", name="admin", roles=roles)
    request = enrolment.request_of(folder)
    try:
        await requests.enter(desk, actor, request.model_dump_json())
        welcome = await enrolment.welcome(above, desk, actor, request.office.id)
    finally:
        await desk.database.close()
    enrolment.accept(folder, welcome, root=None)


async def add_people(node: Node, now: datetime) -> None:
    """The personae, with their accounts."""
    # One hash for all: hashing is made to be slow.
    hashed = passwords.hash_password(PASSWORD)
    personae = [
        ("lin", "林晓雨", "author", "informant", "东湖县团结街道"),
        ("chen", "陈波", "author", "member", "东湖县农工党支部"),
        ("editor", "周编辑", "editor", None, None),
        ("reviewer", "吴处长", "reviewer", None, None),
        ("signer", "郑秘书长", "signer", None, None),
        ("leader", "孙主席", "leader", None, None),
        ("handler", "冯科长", "handler", None, None),
        ("admin", "系统管理员", "system_administrator", None, None),
        ("security", "安全管理员", "security_administrator", None, None),
        ("auditor", "审计管理员", "auditor", None, None),
    ]
    async with node.desk.database.writing.begin() as session:
        for username, name, role, kind, unit in personae:
            session.add(
                Person(
                    id=node.desk.new_id(),
                    username=username,
                    name=name,
                    roles=[role],
                    kind=kind,
                    unit=unit,
                    password_hash=hashed,
                    created_at=now,
                )
            )
