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
from node.storage.database import Database

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


def test_a_new_office_is_not_set_up_with_such_a_broker(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="without TLS"):
        enrolment.prepare(tmp_path / "office", OFFICE, {"hub": {"broker": EXPOSED[0]}})
    assert not (tmp_path / "office").exists()


async def test_an_office_below_is_neither_given_such_an_address_nor_takes_it(
    tmp_path: Path,
) -> None:
    above = _office(tmp_path / "above", PROTECTED[0], plain_amqp=True)
    below = OfficeSettings(id="yunzhou", name="云州市政协", level="city")
    enrolment.prepare(tmp_path / "below", below, {})
    request = enrolment.make_request(tmp_path / "below", below, hub=False)
    database = Database(above.database_url)
    careful = above.model_copy(update={"relay": config.RelaySettings()})
    with pytest.raises(ConfigurationError, match="without TLS"):
        await enrolment.certify(careful, database, request, broker=EXPOSED[0], now=system_clock())
    await database.close()
