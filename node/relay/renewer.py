"""The renewer: has this office's own certificates renewed, and puts the new ones in place.

 1. A new key is written beside the present one, `node.key.next`. One that is there is used again.
 2. In one transaction: the request is in the outbox, and the renewal `asked`. At the top there is
    nobody to ask: the office issues for itself, renews its root, and goes on at 4.
 3. The answer arrives and is kept with the renewal (`workflow/certificates`).
 4. New certificates of the root are in `root.pem`, those that they replace are out of it.
 5. The renewed issuing certificate is in `issuing.pem`.
 6. The new chain is in `node.pem`. From here on the key that fits it is `node.key.next`.
 7. `node.key.next` takes the place of `node.key`, which is gone for good.
 8. The running loops sign with the new key.
 9. The renewal is done.

Each file is written beside its place and renamed. Killed after any of these, the node starts with
the key that fits `node.pem` (`keys/signer`), and the step that follows is taken then: each can be
taken twice. Messages that were signed before stay valid as long as their certificate; the path of
this office does not change, since it names issuing keys and not this one.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from datetime import datetime

import structlog
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from node.keys import file
from node.keys.ring import KeyRing
from node.keys.signer import FileSigner
from node.keys.terms import NODE_DAYS, ROOT_DAYS, term
from node.relay.certifier import texts
from node.storage.certificates import Renewal
from node.workflow import audit, certificates, outbox
from node.workflow.desk import Desk
from protocol import certificates as forms
from protocol.certificates import Issuer
from protocol.identifiers import NodeId
from protocol.messages.trust import Certificate, CertificateRequest
from protocol.trust import key_digest

log = structlog.get_logger()


class Renewer:
    """Renews the certificates of one office."""

    def __init__(self, desk: Desk, ring: KeyRing, signer: FileSigner) -> None:
        self._desk = desk
        self._ring = ring
        self._signer = signer

    async def step(self) -> bool:
        """Take the next steps of the renewal that is open; whether there were any to take."""
        async with self._desk.database.reading() as session:
            renewal = await certificates.open_renewal(session)
        if renewal is None or renewal.state == "asked":
            return False
        if renewal.state == "wanted":
            await self._ask()
        elif renewal.answer is not None:
            await self._put_in_place(Certificate.model_validate_json(renewal.answer), renewal)
        return True

    async def _ask(self) -> None:
        now = self._desk.clock()
        # 1. A passphrase takes a quarter of a second to try.
        key = await asyncio.to_thread(self._next_key)
        request = forms.request(self._desk.node, key)
        own = (
            None
            if self._desk.parent is not None
            else await asyncio.to_thread(self._issue_for_itself, request, now)
        )
        # 2.
        async with self._desk.database.writing.begin() as session:
            renewal = await certificates.open_renewal(session, lock=True)
            if renewal is None or renewal.state != "wanted":
                return
            renewal.key, renewal.asked_at = key_digest(key.public_key()), now
            if self._desk.parent is None:
                assert own is not None
                renewal.state, renewal.answer = "arrived", own.model_dump_json()
            else:
                renewal.state = "asked"
                parent = NodeId(self._desk.parent.id)
                outbox.post(session, self._desk, self._message(request), to=parent, now=now)
        log.info("renewal.asked", node=self._desk.node)

    def _next_key(self) -> ec.EllipticCurvePrivateKey:
        path, passphrase = self._ring.next_key, self._ring.passphrase
        if not path.exists():
            file.replace_private_key(path, file.new_private_key(), passphrase)
        return file.read_private_key(path, passphrase)

    def _message(self, request: x509.CertificateSigningRequest) -> CertificateRequest:
        der = request.public_bytes(Encoding.DER)
        issuing = None
        if self._desk.place.issuing is not None:
            issuing = texts(self._ring.issuers()[:1])[0]
        return CertificateRequest(request=base64.b64encode(der).decode(), issuing=issuing)

    def _issue_for_itself(
        self, request: x509.CertificateSigningRequest, now: datetime
    ) -> Certificate:
        present = self._ring.issuer()
        root = forms.renewed_root(present, term(now, ROOT_DAYS))
        leaf = forms.node_certificate(request, Issuer(root, present.key), term(now, NODE_DAYS))
        [of_root] = texts([root])
        return Certificate(chain=texts([leaf]), issuing=of_root, roots=(of_root,))

    async def _put_in_place(self, answer: Certificate, renewal: Renewal) -> None:
        chain = _certificates(answer.chain)
        # 4.
        roots = _newest(_certificates(answer.roots), self._ring.roots())
        file.write_certificates(self._ring.root, roots)
        # 5.
        if answer.issuing is not None:
            issuing = _certificates([answer.issuing])
            file.write_certificates(self._ring.issuing_chain, [*issuing, *chain[1:]])
        # 6.
        file.write_certificates(self._ring.node_chain, chain)
        # 7.
        if self._ring.next_key.exists():
            file.move(self._ring.next_key, self._ring.node_key)
        # 8.
        await asyncio.to_thread(self._signer.reload)
        self._desk.chains.trust(roots)
        # 9.
        now = self._desk.clock()
        async with self._desk.database.writing.begin() as session:
            current = await session.get_one(Renewal, renewal.id, with_for_update=True)
            current.state, current.answer, current.done_at = "done", None, now
            audit.note(
                session,
                now,
                actor=renewal.wanted_by,
                action="certificate_renewed",
                until=chain[0].not_valid_after_utc.isoformat(),
            )
        log.info("renewal.done", node=self._desk.node)


def _certificates(found: Sequence[str]) -> list[x509.Certificate]:
    return [x509.load_der_x509_certificate(base64.b64decode(text)) for text in found]


def _newest(
    came: Sequence[x509.Certificate], here: Sequence[x509.Certificate]
) -> list[x509.Certificate]:
    """The roots, the longest first, without those whose time another one of their key covers."""
    kept: list[x509.Certificate] = []
    for root in sorted([*came, *here], key=lambda c: c.not_valid_after_utc, reverse=True):
        covered = any(
            other.public_key() == root.public_key()
            and other.not_valid_before_utc <= root.not_valid_before_utc
            for other in kept
        )
        if not covered:
            kept.append(root)
    return kept
