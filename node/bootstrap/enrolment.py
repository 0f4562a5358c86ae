"""Setting up an office: its folder, keys and configuration, and its place below another office.

A top office makes its own root. Every other office writes a request, takes it to the office above
(`certify`), and brings back the welcome (`accept`). Requests and welcomes are JSON files without
private keys; a welcome may hold the address of a broker account, so it is written for its owner
alone.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from pydantic import BaseModel, ConfigDict, ValidationError

from node import config
from node.bootstrap import keyring
from node.config import FILE_NAME, KeySettings, OfficeSettings, Settings
from node.errors import ConfigurationError
from node.keys import file as keys
from node.keys.terms import ISSUING_DAYS, NODE_DAYS, ROOT_DAYS, term
from node.relay import addresses
from node.storage.database import Database
from node.workflow import directory
from protocol import certificates
from protocol.certificates import Issuer
from protocol.errors import CertificateError, ProtocolError
from protocol.offices import OfficeReference
from protocol.trust import Chains

PLACES = KeySettings()


class Request(BaseModel):
    """What an office asks of the office above."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["zhitong-request-1"] = "zhitong-request-1"
    office: OfficeSettings
    node: str
    issuing: str | None


class Welcome(BaseModel):
    """What the office above answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["zhitong-welcome-1"] = "zhitong-welcome-1"
    office: str
    parent: OfficeReference
    broker: str | None
    root: str
    node: list[str]
    issuing: list[str] | None


def prepare(folder: Path, office: OfficeSettings, content: dict[str, dict[str, object]]) -> None:
    """Make the folder with its configuration and the node's key. Raises `ConfigurationError`."""
    file = folder / FILE_NAME
    if file.exists():
        raise ConfigurationError(f"{file} exists already: choose another folder")
    if isinstance(broker := content.get("hub", {}).get("broker"), str):
        plain_amqp = bool(content.get("relay", {}).get("plain_amqp", False))
        addresses.demand(broker, plain_amqp=plain_amqp)
    (folder / PLACES.node_key.parent).mkdir(parents=True, exist_ok=True, mode=0o700)
    named = content.get("keys", {}).get("passphrase_file")
    passphrase = keyring.find_passphrase(folder, None if named is None else Path(str(named)))
    keys.write_private_key(folder / PLACES.node_key, keys.new_private_key(), passphrase)
    file.write_text(_toml({"office": office.model_dump(exclude_none=True), **content}), "utf-8")
    file.chmod(0o600)


def make_root(folder: Path, office: OfficeSettings, now: datetime) -> None:
    """Make the top office's root and its node certificate."""
    key = keys.new_private_key()
    root = certificates.root(office.id, key, term(now, ROOT_DAYS))
    passphrase = _passphrase(folder)
    keys.write_private_key(folder / PLACES.issuing_key, key, passphrase)
    node_key = keys.read_private_key(folder / PLACES.node_key, passphrase)
    leaf = certificates.node_certificate(
        certificates.request(office.id, node_key), Issuer(root, key), term(now, NODE_DAYS)
    )
    keys.write_certificates(folder / PLACES.root, [root])
    keys.write_certificates(folder / PLACES.issuing_chain, [root])
    keys.write_certificates(folder / PLACES.node_chain, [leaf])


def make_request(folder: Path, office: OfficeSettings, *, hub: bool) -> Request:
    """The request for the office above; a hub asks for an issuing certificate too."""
    passphrase = _passphrase(folder)
    issuing: x509.CertificateSigningRequest | None = None
    if hub:
        key = keys.new_private_key()
        keys.write_private_key(folder / PLACES.issuing_key, key, passphrase)
        issuing = certificates.request(office.id, key)
    node = certificates.request(
        office.id, keys.read_private_key(folder / PLACES.node_key, passphrase)
    )
    return Request(
        office=office,
        node=node.public_bytes(Encoding.PEM).decode(),
        issuing=issuing.public_bytes(Encoding.PEM).decode() if issuing else None,
    )


async def certify(
    settings: Settings, database: Database, request: Request, *, broker: str | None, now: datetime
) -> Welcome:
    """Certify an office below, and enter it into the directory.

    Raises `ConfigurationError` when this office has no issuing key or the broker may not be
    dialled, `CertificateError` when the request names another office or the name stands above
    already.
    """
    if broker is not None:
        addresses.demand(broker, plain_amqp=settings.relay.plain_amqp)
    chain_file = settings.path(settings.keys.issuing_chain)
    if not chain_file.exists():
        raise ConfigurationError("this office has no issuing certificate: it cannot have children")
    chain = keys.read_certificates(chain_file)
    root = keys.read_certificates(settings.path(settings.keys.root))[0]
    issuer = keyring.of(settings).issuer()
    above = [certificates.node_of(c.extensions) for c in [*chain, root]]
    if request.office.id in above:
        raise CertificateError(f"{request.office.id} is the name of this office or one above it")
    below_root = [] if chain[0] == root else chain
    asked = _csr(request.node, request.office.id)
    leaf = certificates.node_certificate(asked, issuer, term(now, NODE_DAYS))
    issuing: x509.Certificate | None = None
    if request.issuing is not None:
        asked = _csr(request.issuing, request.office.id)
        issuing = certificates.issuing_certificate(asked, issuer, term(now, ISSUING_DAYS))
    async with database.writing.begin() as session:
        await directory.know(session, request.office.reference, "child", request.office.region_code)
    return Welcome(
        office=request.office.id,
        parent=settings.office.reference,
        broker=broker,
        root=_pem(root),
        node=[_pem(c) for c in (leaf, *below_root)],
        issuing=[_pem(c) for c in (issuing, *below_root)] if issuing else None,
    )


def accept(folder: Path, welcome: Welcome) -> None:
    """Install what the office above answered. Raises `ConfigurationError`."""
    settings = config.load(folder, config.FileSettings)
    if welcome.office != settings.office.id:
        raise ConfigurationError(f"this welcome is for {welcome.office}, not {settings.office.id}")
    if settings.parent is not None:
        raise ConfigurationError(f"this office stands below {settings.parent.id} already")
    if welcome.broker is not None:
        addresses.demand(welcome.broker, plain_amqp=settings.relay.plain_amqp)
    key = keys.read_private_key(folder / PLACES.node_key, _passphrase(folder)).public_key()
    _demand_whole(welcome)
    leaf = x509.load_pem_x509_certificate(welcome.node[0].encode())
    if leaf.public_key() != key:
        raise ConfigurationError("the welcome answers another request than this folder's")
    (folder / PLACES.root).write_text(welcome.root)
    (folder / PLACES.node_chain).write_text("".join(welcome.node))
    if welcome.issuing is not None:
        (folder / PLACES.issuing_chain).write_text("".join(welcome.issuing))
    parent: dict[str, object] = welcome.parent.model_dump()
    if welcome.broker is not None:
        parent["broker"] = welcome.broker
    with (folder / FILE_NAME).open("a", encoding="utf-8") as file:
        file.write("\n" + _toml({"parent": parent}))


def read_request(text: str) -> Request:
    """A request from a file. Raises `ConfigurationError`."""
    try:
        return Request.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationError("this file is no request of an office") from error


def read_welcome(text: str) -> Welcome:
    """A welcome from a file. Raises `ConfigurationError`."""
    try:
        return Welcome.model_validate_json(text)
    except ValidationError as error:
        raise ConfigurationError("this file is no welcome from an office above") from error


def _passphrase(folder: Path) -> bytes | None:
    return keyring.find_passphrase(
        folder, config.load(folder, config.FileSettings).keys.passphrase_file
    )


def _demand_whole(welcome: Welcome) -> None:
    # Before anything is written: a folder that was welcomed cannot be welcomed again.
    try:
        chains = Chains([x509.load_pem_x509_certificate(welcome.root.encode())])
        issuing = welcome.issuing or []
        node, *_ = (x509.load_pem_x509_certificate(pem.encode()) for pem in welcome.node + issuing)
        der = [_der(pem) for pem in welcome.node]
        certified_at = node.not_valid_before_utc + certificates.BACK_DATED
        path = chains.verify(tuple(der), certified_at).path
    except (ValueError, ProtocolError) as error:
        raise ConfigurationError("the welcome's certificates do not fit together") from error
    if path.node != welcome.office or path.issuers[-1].node != welcome.parent.id:
        raise ConfigurationError(f"the welcome's certificate is for {path}")


def _der(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(Encoding.DER)


def _csr(pem: str, node: str) -> x509.CertificateSigningRequest:
    try:
        asked = x509.load_pem_x509_csr(pem.encode())
    except ValueError as error:
        raise CertificateError("the request's PEM cannot be read") from error
    if certificates.node_of(asked.extensions) != node:
        raise CertificateError("the request is for another office than it says")
    return asked


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _toml(content: dict[str, dict[str, object]]) -> str:
    # Strings, numbers and booleans are spelled alike in TOML and JSON.
    lines = []
    for table, values in content.items():
        lines.append(f"[{table}]")
        lines += [f"{k} = {json.dumps(v, ensure_ascii=False)}" for k, v in values.items()]
        lines.append("")
    return "\n".join(lines)
