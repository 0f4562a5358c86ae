"""Enrolment as offices live it: a token above, one command below, an approval, and items climb."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from node import config
from node.bootstrap import enrolment, keyring
from node.bootstrap import node as bootstrap
from node.bootstrap.node import system_clock
from node.config import OfficeSettings
from node.relay.management import path
from node.storage import migrate
from node.workflow import enrolment as requests
from node.workflow.desk import Actor
from tests.certificates import make_certificate
from tests.journeys import processes
from tests.journeys.processes import Running, Visitor
from tests.journeys.test_serve import has
from tests.node.rooms import CONTENT
from tests.offices import QUICK, add_people
from tests.servers.rabbitmq import AUTH, RabbitMQ

PROVINCE = OfficeSettings(id="jiangyuan", name="江原省政协", level="province")
CITY = OfficeSettings(id="yunzhou", name="云州市政协", level="city")
COUNTY = OfficeSettings(id="donghu", name="东湖县政协", level="county")


@dataclass
class Scene:
    """Where the offices' folders lie, and the one broker of both hubs."""

    folder: Path
    certificate: Path
    broker: str
    management: str

    async def prepare(self, office: OfficeSettings, name: str | None = None) -> Path:
        """What `zhitong init` leaves, with people."""
        folder = self.folder / (name or office.id)
        web: dict[str, object] = {"secure_cookies": False}
        content: dict[str, dict[str, object]] = {"web": web, "relay": {**QUICK}}
        hub = office.level != "county"
        if hub:
            tls = self.certificate
            web |= {"certificate": str(tls), "key": str(tls.with_suffix(".key"))}
            address = re.sub("//.*@", "//", self.broker)
            content["hub"] = {
                "broker": self.broker,
                "management": self.management,
                "address": address,
            }
        top = office.level == "province"
        enrolment.prepare(folder, office, content, hub=hub and not top)
        if top:
            enrolment.make_root(folder, office, system_clock())
        return folder

    async def people(self, folder: Path) -> None:
        """Tables and accounts."""
        node = bootstrap.build(config.load(folder), half="web")
        await migrate.upgrade(node.desk.database)
        await add_people(node, system_clock())
        await node.desk.database.close()

    async def token(self, above: Path, secret: bytes) -> str:
        """What `zhitong enrolment token` shows."""
        desk = bootstrap.build(config.load(above), half="web").desk
        admin = Actor(desk.new_id(), "admin", "管理员", frozenset({"system_administrator"}))
        made = await requests.make_token(desk, admin, secret=secret, office=None, hours=1)
        await desk.database.close()
        return str(made)

    async def enrol(self, folder: Path, above: Running, token: str, admin: Visitor) -> str:
        """One command below, one approval above; what the command said."""
        assert above.address is not None
        words = ("enrol", above.address, "--token", token, "--ca", self.certificate, "-c", folder)
        async with processes.run(self.folder, "node", *words) as command:
            listed = await admin.see(
                "enrolments", lambda found: [e["state"] for e in found["enrolments"]] == ["waiting"]
            )
            (waiting, *_) = listed["enrolments"]
            await command.until_said("等待上级机关批准")
            # What two people compare over the telephone.
            assert waiting["fingerprint"] in command.said().replace(" ", "")
            await admin.post(f"enrolments/{waiting['office']}/approve")
            assert await command.ended() == 0, command.said()
            return command.said()


@pytest.fixture
async def scene(tmp_path: Path, broker: str, rabbitmq: RabbitMQ) -> AsyncIterator[Scene]:
    """Nothing is set up yet."""
    yield Scene(tmp_path, make_certificate(tmp_path), broker, rabbitmq.management_url)
    async with httpx.AsyncClient(
        base_url=rabbitmq.management_url, auth=AUTH, trust_env=False
    ) as api:
        for office in (CITY, COUNTY):
            await api.delete(path("users", office.id))


@pytest.mark.timeout(300)
async def test_a_city_and_a_county_enrol_and_an_item_climbs_and_its_fact_comes_home(
    scene: Scene,
) -> None:
    province, city, county = [await scene.prepare(o) for o in (PROVINCE, CITY, COUNTY)]
    async with AsyncExitStack() as stack:

        async def served(folder: Path, *, tls: bool = True) -> Running:
            await scene.people(folder)
            authority = scene.certificate if tls else None
            running = processes.serve(folder, "--no-migrate", authority=authority)
            return await stack.enter_async_context(running)

        async def visitor(running: Running, name: str) -> Visitor:
            return await stack.enter_async_context(Visitor(running, name))

        above = await served(province)
        token = await scene.token(province, b"1" * 16)
        said = await scene.enrol(city, above, token, await visitor(above, "admin"))
        assert "江原省政协（jiangyuan）" in said
        hub = await served(city)
        at_hub = await visitor(hub, "admin")
        await scene.enrol(county, hub, await scene.token(city, b"2" * 16), at_hub)
        # Each child has an account of its own, and neither configuration names its password.
        address = keyring.parent_broker(config.load(county)) or ""
        assert address.startswith("amqp://donghu:")
        assert "amqp:" not in await asyncio.to_thread((county / config.FILE_NAME).read_text)
        leaf = await served(county, tls=False)

        lin = await visitor(leaf, "lin")
        editors = [await visitor(running, "editor") for running in (leaf, hub, above)]
        item = f"items/{(await lin.post('items', CONTENT))['id']}"
        for editor in editors:
            await editor.see(item, lambda found: found["state"] == "submitted")
            await editor.post(f"{item}/register")
            if editor is not editors[-1]:
                await editor.post(f"{item}/forward")
        await editors[-1].post(f"{item}/adopt", {"manner": "single"})
        timeline = (await lin.see(item, has(PROVINCE.id, "adopted")))["timeline"]
        assert timeline[-1]["proven"] is True

        # Whoever has a token and no key of the county's is not the county.
        twin = await scene.prepare(COUNTY, "twin")
        token = await scene.token(city, b"3" * 16)
        words = ("enrol", str(hub.address), "--token", token, "--ca", scene.certificate, "-c", twin)
        async with processes.run(scene.folder, "node", *words) as command:
            assert await command.ended() == 2
        assert "[enrolment.taken]" in command.said()
        assert config.load(twin).parent is None
        for running in (above, hub, leaf):
            assert token not in running.said()
            assert "Traceback" not in running.said()
