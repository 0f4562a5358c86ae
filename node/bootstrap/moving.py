"""Moving an office under another parent, or a top under a new one: its request, and the welcome.

The office keeps its node id and its keys, so it asks as one that comes new does, and the new parent
welcomes it as such (`enrolment`). Its database and its former certificates stay: to the former
parent it goes on signing under those, until the link ends. The move takes effect when the node
starts again; what waits in the outbox until then leaves afterwards.
"""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select

from node.bootstrap import desk as desks
from node.bootstrap import enrolment, keyring
from node.config import FILE_NAME, Settings
from node.enrolment_errors import EnrolmentAboveError
from node.keys import confidential
from node.keys import file as keys
from node.keys.ring import KeyRing
from node.move_errors import AlreadyThereError, NewRootError
from node.relay import addresses
from node.relay.certifier import texts
from node.storage.offices import Office
from node.storage.places import PlaceRow
from node.workflow import audit, directory, places
from node.workflow.desk import Actor, Desk
from protocol.enrolment import Request, Welcome, make_request, open_welcome, root_of
from protocol.identifiers import Digest
from protocol.trust import Chains, issuing_office


def request_of(settings: Settings) -> Request:
    """The request of an office that has its place, the same however often it is asked for.

    A top names its own root: what was signed below it stays evidence. Raises `ConfigurationError`.
    """
    ring = keyring.of(settings)
    issuing = None
    if ring.issuing_key.exists():
        issuing = keys.read_private_key(ring.issuing_key, ring.passphrase)
    root = None
    if settings.parent is None:
        root = ring.issuers()[0].public_bytes(Encoding.PEM).decode()
    return make_request(
        settings.office.reference,
        settings.office.region_code,
        ring.node()[0],
        issuing,
        root=root,
    )


async def move(settings: Settings, actor: Actor, text: str, *, root: Digest | None) -> Welcome:
    """Check the new parent's welcome, and install it; killed in between, call it again.

    1. Check it (`open_welcome`): it answers this office's request, and this office does not stand
       above itself. A root on another key than the present one's must be named beforehand.
    2. Keep the former certificates, with the key and the broker's address, in a folder beside.
    3. In one transaction: the present place ends, the new one begins; the former parent is one that
       drains.
    4. Write certificates and the broker's address.
    5. Forget what was kept of that parent, if it is a former one; name it in the configuration, in
       one stroke.

    Raises `WelcomeError`, `PathError`, `RootError`, `NewRootError`, `AlreadyThereError`.
    """
    ring = keyring.of(settings)
    key, chain = ring.node()
    # 1.
    welcome = _checked(settings, ring, text, root)
    broker = None if welcome.broker is None else confidential.read(welcome.broker, key)
    if broker is not None:
        addresses.demand(broker, plain_amqp=settings.relay.plain_amqp)
    # 2.
    if settings.parent is not None:
        _keep(settings, ring)
    # 3.
    desk = desks.build(settings)
    try:
        await _enter(desk, actor, ring, welcome, texts(chain))
    finally:
        await desk.database.close()
    # 4.
    anchor = x509.load_pem_x509_certificate(welcome.root.encode())
    others = [one for one in ring.roots() if root_of(one) != root_of(anchor)]
    keys.write_certificates(ring.root, [anchor, *others])
    contents = {
        settings.keys.node_chain: "".join(welcome.node),
        settings.keys.issuing_chain: "".join(welcome.issuing or ()),
        settings.keys.parent_broker: broker,
    }
    for place, content in contents.items():
        if content:
            keys.replace(settings.path(place), content.encode())
    # 5. Or a later move away would find what was kept at the first.
    shutil.rmtree(_folder(settings, welcome.parent.id), ignore_errors=True)
    file = settings.folder / FILE_NAME
    enrolment.name_parent(file, welcome.parent)
    return welcome


def former_ring(settings: Settings, parent: str) -> KeyRing:
    """The ring with which this office goes on signing for a former parent."""
    ring, folder = keyring.of(settings), _folder(settings, parent)
    return KeyRing(
        node_key=folder / "node.key",
        node_chain=folder / "node.pem",
        issuing_key=ring.issuing_key,
        issuing_chain=ring.issuing_chain,
        root=ring.root,
        passphrase=ring.passphrase,
    )


def former_broker(settings: Settings, parent: str) -> str | None:
    """The address of a former parent's broker."""
    file = _folder(settings, parent) / "broker.url"
    return file.read_text("utf-8").strip() if file.exists() else None


def kept(settings: Settings) -> list[Path]:
    """The files of former places, relative to the office's folder."""
    folder = _folder(settings, ".")
    return [file.relative_to(settings.folder) for file in sorted(folder.glob("*/*"))]


def _folder(settings: Settings, parent: str) -> Path:
    return settings.path(settings.keys.node_key.parent) / "former" / parent


def _checked(settings: Settings, ring: KeyRing, text: str, root: Digest | None) -> Welcome:
    key, _ = ring.node()
    hub = None
    if ring.issuing_key.exists():
        hub = keys.read_private_key(ring.issuing_key, ring.passphrase).public_key()
    welcome = open_welcome(
        text, office=settings.office.id, node=key.public_key(), issuing=hub, root=root
    )
    if settings.parent is not None and welcome.parent.id == settings.parent.id:
        raise AlreadyThereError
    if welcome.parent.id == settings.office.id:
        raise EnrolmentAboveError
    anchor = x509.load_pem_x509_certificate(welcome.root.encode())
    if root is None and issuing_office(anchor) not in map(issuing_office, ring.roots()):
        raise NewRootError
    return welcome


def _keep(settings: Settings, ring: KeyRing) -> None:
    assert settings.parent is not None
    folder = _folder(settings, settings.parent.id)
    if (folder / "node.pem").exists():
        return  # Killed before; what is in the usual place may be the new one already.
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    broker = keyring.parent_broker(settings)
    if broker is not None:
        keys.replace(folder / "broker.url", broker.encode())
    shutil.copyfile(ring.node_key, folder / "node.key")
    (folder / "node.key").chmod(0o600)
    # The chain last: where it is, all is there.
    keys.write_certificates(folder / "node.pem", ring.node()[1])


async def _enter(
    desk: Desk, actor: Actor, ring: KeyRing, welcome: Welcome, chain: tuple[str, ...]
) -> None:
    now = desk.clock()
    new = [x509.load_pem_x509_certificate(pem.encode()) for pem in welcome.node]
    anchor = x509.load_pem_x509_certificate(welcome.root.encode())
    path = Chains([anchor]).verify(tuple(c.public_bytes(Encoding.DER) for c in new), now).path
    former = None if desk.parent is None else desk.parent.id
    async with desk.database.writing.begin() as session:
        current = await session.scalar(select(PlaceRow).where(PlaceRow.until.is_(None)))
        if current is not None and current.parent == welcome.parent.id:
            return
        is_new = root_of(anchor) not in {root_of(one) for one in ring.roots()}
        row = PlaceRow(
            id=desk.new_id(),
            parent=welcome.parent.id,
            issuers=[[str(one.node), str(one.key)] for one in path.issuers],
            chain=list(texts(new)),
            roots=[base64.b64encode(anchor.public_bytes(Encoding.DER)).decode()] if is_new else [],
            statement=None,
            number=0 if current is None else current.number,
            state="arrived",
            since=now,
        )
        await places.enter(
            session, desk, former=desk.place.own, present=row, parent=former, chain=chain
        )
        await directory.know(session, welcome.parent, "parent")
        if former is not None:
            (await session.get_one(Office, former)).relation = "former"
        audit.note(session, now, actor=actor, action="office_moved", subject=welcome.parent.id)
