"""Setting up an office, and its place below another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from node import config
from node.bootstrap import enrolment
from node.bootstrap import node as bootstrap
from node.bootstrap.enrolment import Request, Welcome
from node.config import OfficeSettings
from node.errors import ConfigurationError
from node.storage.database import Database
from node.storage.offices import Office
from protocol.errors import CertificateError
from tests import tables

NOW = datetime.now(UTC)
CITY = OfficeSettings(id="yunzhou", name="云州市政协", level="city")
COUNTY = OfficeSettings(id="donghu", name="东湖县政协", level="county", region_code="420104")


@dataclass(frozen=True)
class Above:
    """An office that can certify others."""

    folder: Path
    database: Database

    async def certify(self, request: Request, broker: str | None = "amqps://city/") -> Welcome:
        """Certify, as `zhitong certify` does."""
        settings = config.load(self.folder)
        return await enrolment.certify(settings, self.database, request, broker=broker, now=NOW)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Above]:
    """云州, the top office of its own hierarchy."""
    folder = tmp_path / "yunzhou"
    enrolment.prepare(folder, CITY, {})
    enrolment.make_root(folder, CITY, NOW)
    database = Database(config.load(folder).database_url)
    await tables.furnish(config.load(folder).database_url)
    yield Above(folder, database)
    await database.close()


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """The folder of 东湖, which is not certified yet."""
    folder = tmp_path / "donghu"
    enrolment.prepare(folder, COUNTY, {"web": {"port": 0}})
    return folder


async def test_a_county_below_a_city_without_a_broker_dials_nobody(
    city: Above, county: Path
) -> None:
    request = enrolment.make_request(county, COUNTY, hub=False)
    enrolment.accept(county, await city.certify(request, broker=None))
    settings = config.load(county)
    assert settings.parent is not None
    assert (settings.parent.id, settings.parent.broker) == ("yunzhou", None)


async def test_a_county_that_was_certified_stands_below_its_city(city: Above, county: Path) -> None:
    request = enrolment.make_request(county, COUNTY, hub=False)
    enrolment.accept(county, await city.certify(request))

    settings = config.load(county)
    assert settings.parent is not None
    assert (settings.parent.id, settings.parent.broker) == ("yunzhou", "amqps://city/")
    node = bootstrap.build(settings)
    assert node.desk.place.own.offices == ("yunzhou", "donghu")
    assert node.desk.place.parent is not None
    await node.desk.database.close()
    async with city.database.reading() as session:
        (known,) = (await session.scalars(select(Office))).all()
    assert (known.id, known.name, known.relation, known.region_code) == (
        "donghu",
        "东湖县政协",
        "child",
        "420104",
    )


async def test_a_hub_below_a_hub_certifies_offices_of_its_own(
    city: Above, county: Path, tmp_path: Path
) -> None:
    request = enrolment.make_request(county, COUNTY, hub=True)
    assert request.issuing is not None
    enrolment.accept(county, await city.certify(request))
    street = OfficeSettings(id="tuanjie", name="团结街道联络组", level="street")
    enrolment.prepare(tmp_path / "tuanjie", street, {})
    asked = enrolment.make_request(tmp_path / "tuanjie", street, hub=False)
    await tables.furnish(config.load(county).database_url)
    database = Database(config.load(county).database_url)
    above = Above(county, database)
    enrolment.accept(tmp_path / "tuanjie", await above.certify(asked, broker=None))
    await database.close()

    node = bootstrap.build(config.load(tmp_path / "tuanjie"))
    assert node.desk.place.own.offices == ("yunzhou", "donghu", "tuanjie")
    await node.desk.database.close()


async def test_certifying_the_same_office_again_keeps_one_entry(city: Above, county: Path) -> None:
    request = enrolment.make_request(county, COUNTY, hub=False)
    await city.certify(request)
    await city.certify(request)
    async with city.database.reading() as session:
        assert len((await session.scalars(select(Office))).all()) == 1


async def test_an_office_without_an_issuing_key_certifies_nobody(city: Above, county: Path) -> None:
    request = enrolment.make_request(county, COUNTY, hub=False)
    enrolment.accept(county, await city.certify(request))
    with pytest.raises(ConfigurationError, match="it cannot have children"):
        await Above(county, city.database).certify(request)


async def test_a_request_under_the_name_of_the_office_above_is_refused(
    city: Above, tmp_path: Path
) -> None:
    enrolment.prepare(tmp_path / "false", CITY, {})
    request = enrolment.make_request(tmp_path / "false", CITY, hub=False)
    with pytest.raises(CertificateError, match="the name of this office or one above it"):
        await city.certify(request)


async def test_a_request_that_says_one_name_and_signs_another_is_refused(
    city: Above, county: Path
) -> None:
    request = enrolment.make_request(county, COUNTY, hub=False)
    other = COUNTY.model_copy(update={"id": "xishan"})
    with pytest.raises(CertificateError, match="for another office than it says"):
        await city.certify(request.model_copy(update={"office": other}))
    async with city.database.reading() as session:
        assert (await session.scalars(select(Office))).all() == []


async def test_a_folder_is_set_up_once(county: Path) -> None:
    before = _files(county)
    with pytest.raises(ConfigurationError, match="exists already"):
        enrolment.prepare(county, COUNTY, {})
    assert _files(county) == before


async def test_a_folder_is_welcomed_once(city: Above, county: Path) -> None:
    welcome = await city.certify(enrolment.make_request(county, COUNTY, hub=False))
    enrolment.accept(county, welcome)
    before = _files(county)
    with pytest.raises(ConfigurationError, match="stands below yunzhou already"):
        enrolment.accept(county, welcome)
    assert _files(county) == before


async def test_the_welcome_of_another_office_or_of_another_key_is_refused(
    city: Above, county: Path, tmp_path: Path
) -> None:
    twin = tmp_path / "twin"
    enrolment.prepare(twin, COUNTY, {})
    of_twin = await city.certify(enrolment.make_request(twin, COUNTY, hub=False))
    before = _files(county)
    with pytest.raises(ConfigurationError, match="answers another request"):
        enrolment.accept(county, of_twin)
    with pytest.raises(ConfigurationError, match="for xishan, not donghu"):
        enrolment.accept(county, of_twin.model_copy(update={"office": "xishan"}))
    assert _files(county) == before


@pytest.mark.parametrize("member", ["root", "node", "issuing"])
async def test_a_damaged_welcome_is_refused_and_the_folder_stays_as_it_was(
    city: Above, county: Path, member: str
) -> None:
    welcome = await city.certify(enrolment.make_request(county, COUNTY, hub=True))
    before = _files(county)
    rubbish: object = "rubbish" if member == "root" else ["rubbish"]
    with pytest.raises(ConfigurationError, match="do not fit together"):
        enrolment.accept(county, welcome.model_copy(update={member: rubbish}))
    if member == "node":
        with pytest.raises(ConfigurationError, match="do not fit together"):
            enrolment.accept(county, welcome.model_copy(update={"node": []}))
    assert _files(county) == before


async def test_a_welcome_under_another_root_is_refused(
    city: Above, county: Path, tmp_path: Path
) -> None:
    enrolment.prepare(tmp_path / "other", CITY, {})
    enrolment.make_root(tmp_path / "other", CITY, NOW)
    false_root = (tmp_path / "other/keys/root.pem").read_text()
    welcome = await city.certify(enrolment.make_request(county, COUNTY, hub=False))
    with pytest.raises(ConfigurationError, match="do not fit together"):
        enrolment.accept(county, welcome.model_copy(update={"root": false_root}))


def test_neither_request_nor_welcome_holds_a_private_key(county: Path) -> None:
    request = enrolment.make_request(county, COUNTY, hub=True)
    assert "PRIVATE" not in request.model_dump_json()


def test_configuration_and_keys_are_for_their_owner_alone(county: Path) -> None:
    enrolment.make_request(county, COUNTY, hub=True)
    modes = {path.name: path.stat().st_mode & 0o777 for path in county.rglob("*")}
    assert modes == {
        "zhitong.toml": 0o600,
        "keys": 0o700,
        "node.key": 0o600,
        "issuing.key": 0o600,
    }


@pytest.mark.parametrize("text", ["", "{}", "[]", "rubbish", '{"format": "zhitong-request-2"}'])
def test_a_file_that_is_neither_request_nor_welcome_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="no request of an office"):
        enrolment.read_request(text)
    with pytest.raises(ConfigurationError, match="no welcome from an office above"):
        enrolment.read_welcome(text)


def _files(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "sqlite" not in path.name
    }
