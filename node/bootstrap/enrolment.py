"""Setting up an office: its folder, keys and configuration, and its place below another office.

A top office makes its own root. Every other office makes a request (`request_of`) and installs the
welcome that answers it (`accept`); `joining` carries both over HTTPS. `welcome` is the other end,
where a command does the relay's work by itself.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from node import config
from node.bootstrap import brokers, gate, keyring
from node.config import FILE_NAME, FileSettings, KeySettings, OfficeSettings, Settings
from node.enrolment_errors import EnrolmentBelowError, EnrolmentLapsedError
from node.errors import ConfigurationError
from node.keys import confidential
from node.keys import file as keys
from node.keys.terms import NODE_DAYS, ROOT_DAYS, term
from node.relay import addresses
from node.relay.enroller import Enroller
from node.workflow import enrolment
from node.workflow.desk import Actor, Desk
from protocol import certificates
from protocol.certificates import Issuer
from protocol.enrolment import Request, Welcome, make_request, open_welcome
from protocol.identifiers import Digest
from protocol.offices import OfficeReference

PLACES = KeySettings()


def prepare(
    folder: Path,
    office: OfficeSettings,
    content: dict[str, dict[str, object]],
    *,
    hub: bool = False,
) -> None:
    """Make the folder with its configuration and the office's keys; a hub has an issuing key too.

    Raises `ConfigurationError`.
    """
    file = folder / FILE_NAME
    if file.exists():
        raise ConfigurationError(f"{file} exists already: choose another folder")
    plain_amqp = bool(content.get("relay", {}).get("plain_amqp", False))
    for name in ("broker", "address"):
        if isinstance(address := content.get("hub", {}).get(name), str):
            addresses.demand(address, plain_amqp=plain_amqp)
    (folder / PLACES.node_key.parent).mkdir(parents=True, exist_ok=True, mode=0o700)
    named = content.get("keys", {}).get("passphrase_file")
    passphrase = keyring.find_passphrase(folder, None if named is None else Path(str(named)))
    for key in (PLACES.node_key, *([PLACES.issuing_key] if hub else [])):
        keys.write_private_key(folder / key, keys.new_private_key(), passphrase)
    _write(file, _toml({"office": office.model_dump(exclude_none=True), **content}))


def make_root(folder: Path, office: OfficeSettings, now: datetime) -> None:
    """Make the top office's root and its node certificate."""
    key = keys.new_private_key()
    root = certificates.root(office.id, key, term(now, ROOT_DAYS))
    passphrase = keyring.of(_prepared(folder)).passphrase
    keys.write_private_key(folder / PLACES.issuing_key, key, passphrase)
    node_key = keys.read_private_key(folder / PLACES.node_key, passphrase)
    leaf = certificates.node_certificate(
        certificates.request(office.id, node_key), Issuer(root, key), term(now, NODE_DAYS)
    )
    keys.write_certificates(folder / PLACES.root, [root])
    keys.write_certificates(folder / PLACES.issuing_chain, [root])
    keys.write_certificates(folder / PLACES.node_chain, [leaf])


def request_of(folder: Path) -> Request:
    """The request of an office that was prepared: the same however often it is asked for.

    Raises `EnrolmentBelowError` for an office that has its place, and `ConfigurationError`.
    """
    settings = _prepared(folder)
    ring = keyring.of(settings)
    return make_request(
        settings.office.reference,
        settings.office.region_code,
        keys.read_private_key(ring.node_key, ring.passphrase),
        keys.read_private_key(ring.issuing_key, ring.passphrase)
        if ring.issuing_key.exists()
        else None,
    )


def accept(folder: Path, text: str, *, root: Digest | None) -> Welcome:
    """Check what the office above answered, and install it; killed in between, call it again.

    1. Check it (`open_welcome`), and the address of the broker above, which it opens.
    2. Write certificates, and that address, beside the keys.
    3. Name the office above in the configuration, in one stroke: the office has its place.
    """
    settings = _prepared(folder)
    ring = keyring.of(settings)
    key = keys.read_private_key(ring.node_key, ring.passphrase)
    hub = None
    if ring.issuing_key.exists():
        hub = keys.read_private_key(ring.issuing_key, ring.passphrase).public_key()
    # 1.
    welcome = open_welcome(
        text, office=settings.office.id, node=key.public_key(), issuing=hub, root=root
    )
    broker = None if welcome.broker is None else confidential.read(welcome.broker, key)
    if broker is not None:
        addresses.demand(broker, plain_amqp=settings.relay.plain_amqp)
    # 2.
    contents = {
        settings.keys.root: welcome.root,
        settings.keys.node_chain: "".join(welcome.node),
        settings.keys.issuing_chain: "".join(welcome.issuing or ()),
        settings.keys.parent_broker: broker,
    }
    for place, content in contents.items():
        if content:
            keys.replace(settings.path(place), content.encode())
    # 3.
    name_parent(folder / FILE_NAME, welcome.parent)
    return welcome


def name_parent(file: Path, parent: OfficeReference) -> None:
    """Name the office above in the configuration, in place of any that stands there."""
    kept, inside = [], False
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("["):
            inside = line.strip() == "[parent]"
        if not inside:
            kept.append(line)
    above = _toml({"parent": parent.model_dump()})
    _write(file, "\n".join([*kept, "", above]))


async def welcome(settings: Settings, desk: Desk, actor: Actor, office: str) -> str:
    """Approve the office's request and carry it out here and now, whether or not a relay runs.

    Raises `UnknownEnrolmentError`, and what stands in the way.
    """
    brokers.demand(settings)
    id = await enrolment.approve(desk, actor, office)
    enroller = Enroller(
        desk,
        keyring.of(settings),
        gate.of(settings),
        # The relay declares them when it runs; until then the child dials again.
        declared=lambda _: True,
        randomness=os.urandom,
    )
    await enroller.carry_out(id)
    text = await enrolment.hand_out(desk, actor, id)
    if text is None:
        raise EnrolmentLapsedError
    return text


def _prepared(folder: Path) -> Settings:
    # Not the environment: it may already complete a [parent] that is yet to come.
    settings = config.load(folder, FileSettings)
    if settings.parent is not None:
        raise EnrolmentBelowError(f"this office stands below {settings.parent.id} already")
    return settings


def _write(file: Path, content: str) -> None:
    keys.replace(file, content.encode())


def _toml(content: dict[str, dict[str, object]]) -> str:
    # Strings, numbers and booleans are spelled alike in TOML and JSON.
    lines = []
    for table, values in content.items():
        lines.append(f"[{table}]")
        lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()]
        lines.append("")
    return "\n".join(lines)
