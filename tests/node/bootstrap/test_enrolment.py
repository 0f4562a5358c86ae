"""Setting up an office, and its place below another one, by hand."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from node import config
from node.bootstrap import enrolment, keyring
from node.bootstrap import node as bootstrap
from node.config import OfficeSettings
from node.enrolment_errors import (
    EnrolmentAboveError,
    EnrolmentBelowError,
    EnrolmentDepthError,
    EnrolmentLeafError,
    EnrolmentTakenError,
)
from node.errors import ConfigurationError
from node.storage.offices import Office
from node.workflow import enrolment as requests
from node.workflow.desk import Actor, Desk
from protocol.enrolment import Request, root_of
from protocol.errors import RequestError, RootError, WelcomeError
from protocol.identifiers import digest
from tests import tables

NOW = datetime.now(UTC)
CITY = OfficeSettings(id="yunzhou", name="云州市政协", level="city")
COUNTY = OfficeSettings(id="donghu", name="东湖县政协", level="county", region_code="420104")
HUB: dict[str, dict[str, object]] = {"hub": {"broker": "amqp://yunzhou:secret@localhost/"}}


@dataclass(frozen=True)
class Above:
    """An office that takes others in."""

    settings: config.Settings
    desk: Desk
    admin: Actor

    async def welcome(self, request: Request) -> str:
        """Take a request in and answer it, as the commands do."""
        await requests.enter(self.desk, self.admin, request.model_dump_json())
        return await enrolment.welcome(self.settings, self.desk, self.admin, request.office.id)

    @property
    def root(self) -> str:
        """The digest of the root certificate."""
        return root_of(self.desk.chains.roots[0])


async def above(folder: Path) -> Above:
    """The office in this folder, with its tables."""
    settings = config.load(folder)
    if not (folder / "zhitong.sqlite").exists():
        await tables.furnish(settings.database_url)
    desk = bootstrap.build(settings, half="web").desk
    return Above(
        settings, desk, Actor(desk.new_id(), "admin", "管理员", frozenset({"system_administrator"}))
    )


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[Above]:
    """云州, the top office of its own hierarchy, with a broker whose accounts are made by hand."""
    folder = tmp_path / "yunzhou"
    enrolment.prepare(folder, CITY, HUB)
    enrolment.make_root(folder, CITY, NOW)
    made = await above(folder)
    yield made
    await made.desk.database.close()


@pytest.fixture
def county(tmp_path: Path) -> Path:
    """The folder of 东湖, which has no place yet."""
    folder = tmp_path / "donghu"
    enrolment.prepare(folder, COUNTY, {"web": {"port": 0}})
    return folder


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    """The folder of 东湖 as an office that will have offices below it."""
    folder = tmp_path / "hub"
    enrolment.prepare(folder, COUNTY, {}, hub=True)
    return folder


async def test_a_county_that_was_welcomed_stands_below_its_city(city: Above, county: Path) -> None:
    text = await city.welcome(enrolment.request_of(county))
    enrolment.accept(county, text, root=city.root)

    settings = config.load(county)
    assert settings.parent is not None
    assert settings.parent.reference == CITY.reference
    assert keyring.parent_broker(settings) == "amqp://localhost/"
    node = bootstrap.build(settings)
    assert node.desk.place.own.offices == ("yunzhou", "donghu")
    assert node.desk.place.parent is not None
    await node.desk.database.close()
    async with city.desk.database.reading() as session:
        known = (await session.scalars(select(Office).where(Office.relation == "child"))).one()
    assert (known.id, known.name, known.region_code) == ("donghu", "东湖县政协", "420104")


async def test_a_county_below_a_city_without_a_broker_dials_nobody(
    tmp_path: Path, county: Path
) -> None:
    enrolment.prepare(tmp_path / "city", CITY, {})
    enrolment.make_root(tmp_path / "city", CITY, NOW)
    city = await above(tmp_path / "city")
    enrolment.accept(county, await city.welcome(enrolment.request_of(county)), root=None)
    await city.desk.database.close()
    assert keyring.parent_broker(config.load(county)) is None


async def test_the_broker_that_the_configuration_names_is_dialled_instead(
    city: Above, county: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment.accept(county, await city.welcome(enrolment.request_of(county)), root=None)
    monkeypatch.setenv("ZHITONG_PARENT__BROKER", "amqp://elsewhere/")
    assert keyring.parent_broker(config.load(county)) == "amqp://elsewhere/"


async def test_a_hub_below_a_hub_takes_in_offices_of_its_own(
    city: Above, hub: Path, tmp_path: Path
) -> None:
    enrolment.accept(hub, await city.welcome(enrolment.request_of(hub)), root=city.root)
    street = OfficeSettings(id="tuanjie", name="团结街道联络组", level="street")
    enrolment.prepare(tmp_path / "tuanjie", street, {})
    county = await above(hub)
    welcome = await county.welcome(enrolment.request_of(tmp_path / "tuanjie"))
    enrolment.accept(tmp_path / "tuanjie", welcome, root=city.root)
    await county.desk.database.close()
    node = bootstrap.build(config.load(tmp_path / "tuanjie"))
    assert node.desk.place.own.offices == ("yunzhou", "donghu", "tuanjie")
    await node.desk.database.close()


async def test_the_same_request_again_is_the_same_request(city: Above, county: Path) -> None:
    request = enrolment.request_of(county)
    assert enrolment.request_of(county) == request
    first = await city.welcome(request)
    assert await city.welcome(request) == first
    assert len(await requests.list_all(city.desk, city.admin)) == 1


async def test_a_name_that_was_given_away_is_not_given_to_other_keys(
    city: Above, county: Path, tmp_path: Path
) -> None:
    await city.welcome(enrolment.request_of(county))
    enrolment.prepare(tmp_path / "twin", COUNTY, {})
    with pytest.raises(EnrolmentTakenError, match="with other keys"):
        await city.welcome(enrolment.request_of(tmp_path / "twin"))


async def test_an_office_without_an_issuing_key_takes_nobody_in(city: Above, county: Path) -> None:
    enrolment.accept(county, await city.welcome(enrolment.request_of(county)), root=None)
    leaf = await above(county)
    with pytest.raises(EnrolmentLeafError):
        await requests.enter(leaf.desk, leaf.admin, "{}")
    await leaf.desk.database.close()


async def test_a_request_under_the_name_of_the_office_above_is_refused(
    city: Above, tmp_path: Path
) -> None:
    enrolment.prepare(tmp_path / "false", CITY, {})
    with pytest.raises(EnrolmentAboveError):
        await city.welcome(enrolment.request_of(tmp_path / "false"))


async def test_a_request_that_says_one_name_and_signs_another_is_refused(
    city: Above, county: Path
) -> None:
    other = COUNTY.reference.model_copy(update={"id": "xishan"})
    request = enrolment.request_of(county).model_copy(update={"office": other})
    with pytest.raises(RequestError, match="asks for a certificate of donghu"):
        await city.welcome(request)
    assert await requests.list_all(city.desk, city.admin) == []


async def test_a_hub_that_would_stand_too_deep_is_refused_and_a_leaf_is_not(
    city: Above, tmp_path: Path
) -> None:
    upper, opened = city, []
    for number in range(3):
        folder = tmp_path / f"level{number}"
        enrolment.prepare(folder, _office(f"level{number}"), {}, hub=True)
        text = await upper.welcome(enrolment.request_of(folder))
        enrolment.accept(folder, text, root=city.root)
        upper = await above(folder)
        opened.append(upper)
    for hub, folder in ((True, tmp_path / "deep-hub"), (False, tmp_path / "deep-leaf")):
        enrolment.prepare(folder, _office(folder.name), {}, hub=hub)
    leaf = tmp_path / "deep-leaf"
    assert len(upper.desk.place.own.offices) == 4
    upper_hub = enrolment.request_of(tmp_path / "deep-hub")
    enrolment.accept(tmp_path / "deep-hub", await upper.welcome(upper_hub), root=city.root)
    deepest = await above(tmp_path / "deep-hub")
    enrolment.accept(leaf, await deepest.welcome(enrolment.request_of(leaf)), root=city.root)
    enrolment.prepare(tmp_path / "too-deep", _office("too-deep"), {}, hub=True)
    with pytest.raises(EnrolmentDepthError):
        await deepest.welcome(enrolment.request_of(tmp_path / "too-deep"))
    for one in (*opened, deepest):
        await one.desk.database.close()


async def test_a_folder_is_set_up_once(county: Path) -> None:
    before = _files(county)
    with pytest.raises(ConfigurationError, match="exists already"):
        enrolment.prepare(county, COUNTY, {})
    assert _files(county) == before


async def test_a_folder_is_welcomed_once(city: Above, county: Path) -> None:
    text = await city.welcome(enrolment.request_of(county))
    enrolment.accept(county, text, root=None)
    before = _files(county)
    for again in (
        lambda: enrolment.accept(county, text, root=None),
        lambda: enrolment.request_of(county),
    ):
        with pytest.raises(EnrolmentBelowError, match="stands below yunzhou already"):
            again()
    assert _files(county) == before


async def test_a_folder_whose_welcome_was_interrupted_is_welcomed_again(
    city: Above, hub: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = await city.welcome(enrolment.request_of(hub))
    real, left = enrolment.keys.replace, 0

    def killed(path: Path, content: bytes) -> None:
        if written.append(path) or len(written) > left:
            raise KeyboardInterrupt
        real(path, content)

    monkeypatch.setattr(enrolment.keys, "replace", killed)
    while True:
        written: list[Path] = []
        try:
            enrolment.accept(hub, text, root=city.root)
            break
        except KeyboardInterrupt:
            assert config.load(hub).parent is None
            left += 1
    assert left == 5  # four files, and the configuration last
    assert config.load(hub).parent is not None


async def test_a_welcome_for_other_keys_or_another_office_or_root_changes_nothing(
    city: Above, county: Path, hub: Path, tmp_path: Path
) -> None:
    of_county = await city.welcome(enrolment.request_of(county))
    before = _files(hub), _files(county)
    with pytest.raises(WelcomeError, match="answers another request"):
        enrolment.accept(hub, of_county, root=None)
    with pytest.raises(RootError):
        enrolment.accept(county, of_county, root=digest(b"another root"))
    other = tmp_path / "xishan"
    enrolment.prepare(other, COUNTY.model_copy(update={"id": "xishan"}), {})
    with pytest.raises(WelcomeError, match="for donghu, not xishan"):
        enrolment.accept(other, of_county, root=None)
    assert (_files(hub), _files(county)) == before


async def test_neither_request_nor_welcome_holds_a_secret(tmp_path: Path, county: Path) -> None:
    named = {"broker": "amqp://own:secret@localhost/", "address": "amqp://shared:secret@localhost/"}
    enrolment.prepare(tmp_path / "city", CITY, {"hub": {**named}})
    enrolment.make_root(tmp_path / "city", CITY, NOW)
    city = await above(tmp_path / "city")
    request = enrolment.request_of(county)
    text = await city.welcome(request)
    await city.desk.database.close()
    payload = urlsafe_b64decode(text.split(".")[1] + "==").decode()
    for carried in (request.model_dump_json(), payload):
        assert "secret" not in carried
        assert "PRIVATE" not in carried
    enrolment.accept(county, text, root=city.root)
    assert keyring.parent_broker(config.load(county)) == named["address"]


async def test_what_is_written_is_for_its_owner_alone(city: Above, hub: Path) -> None:
    enrolment.accept(hub, await city.welcome(enrolment.request_of(hub)), root=None)
    modes = _modes(hub)
    assert modes.pop("keys") == 0o700
    assert set(modes) == {
        *("zhitong.toml", "node.key", "issuing.key", "node.pem", "issuing.pem", "root.pem"),
        "parent-broker.url",
    }
    assert set(modes.values()) == {0o600}


@pytest.mark.parametrize("text", ["", "{}", "[]", "rubbish", '{"format": "zhitong-request-2"}'])
async def test_a_file_that_is_neither_request_nor_welcome_is_refused(
    city: Above, county: Path, text: str
) -> None:
    with pytest.raises(RequestError, match="no request of an office"):
        await requests.enter(city.desk, city.admin, text)
    with pytest.raises(WelcomeError, match="no welcome from an office above"):
        enrolment.accept(county, text, root=None)


def _modes(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}


def _office(name: str) -> OfficeSettings:
    return OfficeSettings.model_validate({"id": name, "name": "某级", "level": "level"})


def _files(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "sqlite" not in path.name
    }
