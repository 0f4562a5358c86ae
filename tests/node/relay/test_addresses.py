"""Which brokers may be dialled, and where one that may not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from node import config
from node.bootstrap import brokers, enrolment
from node.bootstrap import node as bootstrap
from node.bootstrap.node import system_clock
from node.config import OfficeSettings
from node.errors import ConfigurationError
from node.relay import addresses
from node.workflow import enrolment as requests
from node.workflow.desk import Actor
from tests import tables

EXPOSED = ("amqp://broker.example/", "amqp://u:secret@10.0.0.1:5672/", "amqp://[2001:db8::1]/")
PROTECTED = (
    "amqps://broker.example:5671/",
    "amqp://u:secret@127.0.0.1:5672/x",
    "amqp://127.8.8.8/",
    "amqp://[::1]/",
    "amqp://localhost:5672/",
)
NONE = ("", "broker.example", "http://broker.example/", "amqps:///", "amqp://[::1/", "amqps://h:x/")
OFFICE = OfficeSettings(id="jiangyuan", name="江原省政协", level="province")


@pytest.mark.parametrize("address", EXPOSED)
def test_another_machine_is_not_dialled_in_the_clear_unless_the_settings_say_so(
    address: str,
) -> None:
    with pytest.raises(ConfigurationError, match="without TLS") as refusal:
        addresses.demand(address, plain_amqp=False)
    assert "secret" not in str(refusal.value)
    addresses.demand(address, plain_amqp=True)
    assert addresses.is_exposed(address)


@pytest.mark.parametrize("address", PROTECTED)
def test_over_tls_any_is_dialled_and_this_machine_in_the_clear_too(address: str) -> None:
    addresses.demand(address, plain_amqp=False)
    assert not addresses.is_exposed(address)


@pytest.mark.parametrize("address", NONE)
def test_what_is_no_address_of_a_broker_is_refused(address: str) -> None:
    with pytest.raises(ConfigurationError, match="has the form amqps://"):
        addresses.demand(address, plain_amqp=True)


def _office(folder: Path, address: str, **relay: object) -> config.Settings:
    enrolment.prepare(folder, OFFICE, {})
    enrolment.make_root(folder, OFFICE, system_clock())
    file = folder / config.FILE_NAME
    settings = "".join(f"{key} = {str(value).lower()}\n" for key, value in relay.items())
    file.write_text(f'{file.read_text()}\n[hub]\nbroker = "{address}"\n\n[relay]\n{settings}')
    return config.load(folder)


async def test_an_office_with_such_a_broker_does_not_start_but_its_commands_run(
    tmp_path: Path,
) -> None:
    settings = _office(tmp_path / "office", EXPOSED[0])
    for half in ("both", "relay"):
        with pytest.raises(ConfigurationError, match="plain_amqp"):
            bootstrap.build(settings, half=half)  # type: ignore[arg-type]
    node = bootstrap.build(settings, half="web")
    await node.desk.database.close()


async def test_an_office_that_may_says_so_at_each_start(tmp_path: Path) -> None:
    settings = _office(tmp_path / "office", EXPOSED[0], plain_amqp=True)
    node = bootstrap.build(settings)
    await node.desk.database.close()
    with capture_logs() as logs:
        brokers.warn(settings)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("broker.plain", "warning")]
    with capture_logs() as logs:
        brokers.warn(_office(tmp_path / "other", PROTECTED[1]))
    assert logs == []


@pytest.mark.parametrize("name", ["broker", "address"])
def test_a_new_office_is_not_set_up_with_such_a_broker(tmp_path: Path, name: str) -> None:
    named: dict[str, object] = {"broker": PROTECTED[0], name: EXPOSED[0]}
    with pytest.raises(ConfigurationError, match="without TLS"):
        enrolment.prepare(tmp_path / "office", OFFICE, {"hub": named})
    assert not (tmp_path / "office").exists()


async def test_an_office_below_is_neither_given_such_an_address_nor_takes_it(
    tmp_path: Path,
) -> None:
    allowed = _office(tmp_path / "above", EXPOSED[0], plain_amqp=True)
    careful = allowed.model_copy(update={"relay": config.RelaySettings()})
    below, folder = (
        OfficeSettings(id="yunzhou", name="云州市政协", level="city"),
        tmp_path / "below",
    )
    enrolment.prepare(folder, below, {})
    await tables.furnish(allowed.database_url)
    desk = bootstrap.build(allowed, half="web").desk
    admin = Actor(desk.new_id(), "admin", "管理员", frozenset({"system_administrator"}))
    await requests.enter(desk, admin, enrolment.request_of(folder).model_dump_json())
    with pytest.raises(ConfigurationError, match="without TLS"):
        await enrolment.welcome(careful, desk, admin, below.id)
    welcome = await enrolment.welcome(allowed, desk, admin, below.id)
    await desk.database.close()
    with pytest.raises(ConfigurationError, match="without TLS"):
        enrolment.accept(folder, welcome, root=None)
    assert config.load(folder).parent is None
    assert not (folder / "keys" / "root.pem").exists()


def test_an_office_does_not_start_where_its_welcome_names_such_a_broker(tmp_path: Path) -> None:
    settings = _office(tmp_path / "office", PROTECTED[0])
    below = settings.model_copy(
        update={"parent": config.ParentSettings(id="guojia", name="全国政协", level="nation")}
    )
    place = settings.path(settings.keys.parent_broker)
    place.touch(mode=0o600)
    place.write_text(PROTECTED[1])
    brokers.demand(below)
    place.write_text(EXPOSED[0])
    with pytest.raises(ConfigurationError, match="plain_amqp"):
        brokers.demand(below)
