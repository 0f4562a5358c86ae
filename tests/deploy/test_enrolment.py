"""deploy/compose, for real but for the containers: its scripts, with its settings, on brokers and
databases as it sets them up; then the four nodes run and talk.
"""

from __future__ import annotations

import json
import stat
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import select
from sqlalchemy.engine import make_url

from node.bootstrap import keyring
from node.bootstrap import node as bootstrap
from node.bootstrap.node import Node
from node.storage import migrate
from node.storage.items import Item
from node.storage.messages import Outgoing
from node.workflow import decisions, forwarding, people, submissions
from node.workflow.desk import Actor, Desk
from tests.deploy import host as hosts
from tests.deploy.host import HUBS, OFFICES, Host
from tests.offices import add_people
from tests.waiting import until

pytestmark = pytest.mark.timeout(600)

LEVELS = {"province": "province", "city": "city", "county-a": "county", "county-b": "county"}
PLACES = {
    "province": "jiangyuan",
    "city": "jiangyuan/yunzhou",
    "county-a": "jiangyuan/yunzhou/donghu",
    "county-b": "jiangyuan/yunzhou/xishan",
}
PARENTS = {"city": "province", "county-a": "city", "county-b": "city"}
ENROLLED = {".key", ".pem", ".toml"}
CONTENT = {
    "title": "农村饮水工程冬季管护",
    "topic": "agriculture",
    "body": "入冬以来，部分村组的管网冻裂，建议提前检修。",
}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The host after the runbook's steps, before the nodes start."""
    with hosts.running(tmp_path_factory.mktemp("host")) as running:
        done = running.run("enrol.sh")
        assert done.returncode == 0, done.stdout + done.stderr
        yield running


@pytest.fixture
async def nodes(host: Host) -> AsyncIterator[dict[str, Node]]:
    """All four nodes, running."""
    built = {service: bootstrap.build(host.settings(service)) for service in OFFICES}
    for node in built.values():
        # As `zhitong serve` does first.
        await migrate.upgrade(node.desk.database)
        await node.start()
    yield built
    for node in built.values():
        await node.stop()


def test_the_secrets_are_random_and_for_their_owner_alone(host: Host) -> None:
    passwords = [value for name, value in host.dotenv.items() if name.endswith("_PASSWORD")]
    files = sorted((host.folder / "data" / "secrets").iterdir())
    assert len(set(passwords)) == len(passwords) == 4
    names = (
        "broker-ca.pem",
        "broker-server.key",
        "broker-server.pem",
        "db-administrator",
        "db-node",
    )
    assert [file.name for file in files] == [f"{h}-{name}" for h in sorted(HUBS) for name in names]
    assert {len(file.read_text()) for file in files if "-db-" in file.name} == {48}
    for place in (host.folder / ".env", host.folder / "data" / "secrets"):
        assert stat.S_IMODE(place.stat().st_mode) & 0o077 == 0


def test_the_secrets_stay_as_they_are_when_made_again(host: Host) -> None:
    before = host.dotenv
    again = host.run("make-secrets.sh")
    assert (again.returncode, again.stderr) == (0, "")
    assert host.dotenv == before


@pytest.mark.parametrize("service", OFFICES)
async def test_each_office_has_its_place_and_its_node_can_be_built(
    host: Host, service: str
) -> None:
    settings = host.settings(service)
    node = bootstrap.build(settings)
    await node.desk.database.close()
    above = [host.settings(PARENTS[service]).office.id] if service in PARENTS else []
    assert settings.office.level == LEVELS[service]
    assert [settings.parent.id] if settings.parent else above == []
    assert (settings.hub is not None) == (service in HUBS)
    assert node.desk.database.is_postgresql == (service in HUBS)
    assert str(node.desk.place.own) == PLACES[service]


@pytest.mark.parametrize("service", OFFICES)
def test_no_password_lies_in_an_offices_folder(host: Host, service: str) -> None:
    passwords = [value for name, value in host.dotenv.items() if name.endswith("_PASSWORD")]
    for file in host.office(service).rglob("*"):
        if file.is_file():
            held = file.read_bytes()
            assert not any(password.encode() in held for password in passwords), file


def test_running_it_again_changes_nothing(host: Host) -> None:
    def contents() -> dict[Path, bytes]:
        folder = host.folder / "offices"
        files = [*folder.rglob("*"), *(host.folder / "data" / "secrets").iterdir()]
        return {f: f.read_bytes() for f in files if f.suffix in (".key", ".pem", ".toml")}

    before = contents()
    again = host.run("enrol.sh")
    assert again.returncode == 0, again.stderr
    assert contents() == before


@pytest.mark.parametrize("hub", HUBS)
def test_the_broker_has_these_accounts_and_no_guest(host: Host, hub: str) -> None:
    ids = {service: host.settings(service).office.id for service in OFFICES}
    listed = json.loads(host.brokers[hub].ctl("--formatter", "json", "list_users"))
    children = [ids[child] for child, parent in PARENTS.items() if parent == hub]
    assert {row["user"] for row in listed} == {ids[hub], f"{ids[hub]}.management", *children}


@pytest.mark.parametrize("service", PARENTS)
def test_the_welcome_named_a_broker_and_no_password(host: Host, service: str) -> None:
    dialled = keyring.parent_broker(host.settings(service))
    assert dialled == f"amqps://127.0.0.1:{host.tls_ports[PARENTS[service]]}/"


async def test_the_nodes_database_role_is_no_administrator(host: Host) -> None:
    url = make_url(host.settings("city").database_url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        rights = await connection.fetchrow(
            "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        )
    finally:
        await connection.close()
    assert tuple(rights) == (False, False, False)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.set(password="another").render_as_string(hide_password=False))


async def test_an_item_climbs_to_the_province(host: Host, nodes: dict[str, Node]) -> None:
    county = nodes["county-a"].desk
    await add_people(nodes["county-a"], county.clock())
    async with county.database.reading() as session:
        lin = people.actor_of(await people.by_username(session, "lin"))
    item = await submissions.submit(county, lin, submissions.draft(CONTENT))
    for service in ("county-a", "city"):
        desk = nodes[service].desk
        await until(lambda desk=desk: _has_item(desk, item), 60, f"the item is at {service}")
        editor = Actor(
            id=desk.new_id(), username="editor", name="编辑", roles=frozenset({"editor"})
        )
        await decisions.register(desk, editor, item)
        await forwarding.forward_up(desk, editor, item)
    await until(lambda: _has_item(nodes["province"].desk, item), 60, "the item is at the province")
    for service in ("county-a", "city"):
        desk = nodes[service].desk
        await until(lambda desk=desk: _all_received(desk), 60, f"{service} has its receipts")
    policies = json.loads(host.brokers["city"].ctl("--formatter", "json", "list_policies"))
    assert len(policies) == 6  # for messages and for pieces: its own queue and one a child


async def _has_item(desk: Desk, item: UUID) -> bool:
    async with desk.database.reading() as session:
        return await session.get(Item, item) is not None


async def _all_received(desk: Desk) -> bool:
    async with desk.database.reading() as session:
        sent = await session.scalars(select(Outgoing.state).where(Outgoing.name == "submission"))
        return set(sent) == {"received"}
