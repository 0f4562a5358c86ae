"""Who may speak: chains to a root, the path that a chain spells, and whose path counts here.

A valid chain alone proves nothing about *which* office speaks: any issuing certificate below the
root could certify any urn. Therefore the path: the issuing offices from the root downwards, each
with its issuing key, and the office at the end. `Chains` computes paths; `place.Place` says which
paths count for an office at its own place in the tree. `Chains` also holds what is known to be
revoked, and says of a chain whether that concerns it; what follows from it is for the caller.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import verification
from joserfc.jwk import ECKey

from protocol import certificates
from protocol.errors import CertificateError, ChainError, ExpiredError, PathError
from protocol.identifiers import Digest, NodeId, digest
from protocol.revocation import Certified, Revocation, Revoked

CACHED_CHAINS = 4_096


@dataclass(frozen=True)
class IssuingOffice:
    """An office that certifies others, with the digest of its issuing public key."""

    node: NodeId
    key: Digest


@dataclass(frozen=True)
class Path:
    """The issuing offices from the root downwards, and the office that speaks."""

    issuers: tuple[IssuingOffice, ...]
    node: NodeId

    @property
    def offices(self) -> tuple[NodeId, ...]:
        """The offices from the top to the one that speaks, each once."""
        above = tuple(issuer.node for issuer in self.issuers)
        return above if above == (self.node,) else (*above, self.node)

    def __str__(self) -> str:
        return "/".join(self.offices)


@dataclass(frozen=True)
class VerifiedChain:
    """What a chain proves: who holds the key, on which path, and when that counts."""

    path: Path
    key: ECKey
    not_before: datetime
    not_after: datetime
    certified: tuple[Certified, ...]
    """Its certificates, the leaf first, by the names that revocation lists know."""


@dataclass(frozen=True)
class IssuingChain:
    """What the chain of an issuing certificate proves."""

    line: tuple[IssuingOffice, ...]
    """The issuing offices from the root downwards; the last one holds the key."""
    key: ECKey
    certified: tuple[Certified, ...]

    @property
    def office(self) -> IssuingOffice:
        """Whose issuing key it is."""
        return self.line[-1]

    def __str__(self) -> str:
        return "/".join(office.node for office in self.line)


class Chains:
    """Verifies certificate chains at a given time against the roots. Remembers results.

    `revoked` is what the lists that are known say; whoever learns of a newer one replaces it.
    """

    def __init__(self, roots: Sequence[x509.Certificate], revoked: Revoked | None = None) -> None:
        if not roots:
            raise ValueError("without a root certificate nothing can be verified")
        self.revoked = revoked or Revoked()
        self._known: OrderedDict[tuple[bytes, ...], VerifiedChain] = OrderedDict()
        self.trust(roots)

    def trust(self, roots: Sequence[x509.Certificate]) -> None:
        """Trust these roots from now on, and no others."""
        self.roots = tuple(roots)
        self._known.clear()

    def verify(self, chain: tuple[bytes, ...], at: datetime) -> VerifiedChain:
        """The path and key of a chain (DER, leaf first) that was valid at the time `at`.

        Raises `CertificateError` for a form the rules forbid, `ExpiredError`, `PathError` where an
        office stands twice, and `ChainError` for everything that does not lead to a root.
        """
        known = self._known.get(chain)
        if known is None or not known.not_before <= at <= known.not_after:
            # Looked at again when the time does not fit: another root may lead to the chain, and
            # what was asked before must not change the verdict.
            known = self._examine(chain, at)
            self._known[chain] = known
            if len(self._known) > CACHED_CHAINS:
                self._known.popitem(last=False)
        return known

    def revocation(self, chain: VerifiedChain | IssuingChain) -> Revocation | None:
        """What is known to be revoked of a verified chain."""
        return self.revoked.of(chain.certified)

    def verify_issuing(self, chain: tuple[bytes, ...], at: datetime) -> IssuingChain:
        """The line and key of an issuing certificate (DER, its own first) valid at the time `at`.

        It may sign revocation lists. The root's own chain is the root itself, any other one ends
        below the root. Raises what `verify` does.
        """
        if not 1 <= len(chain) < certificates.MAXIMUM_DEPTH:
            raise ChainError(f"a chain has 1 to {certificates.MAXIMUM_DEPTH - 1} certificates")
        parsed = [parse(der) for der in chain]
        nodes = [examine_form(certificate) for certificate in parsed]
        _examine_issuing(parsed[0])
        found = self._found(parsed, at, issuing=True)
        below_root = found if len(found) == 1 else found[:-1]
        if [c.public_bytes(Encoding.DER) for c in below_root] != list(chain):
            raise ChainError("the list carries certificates that its chain does not need")
        offices = [issuing_office(certificate) for certificate in reversed(found)]
        if len({office.node for office in offices}) != len(offices):
            raise PathError(f"an office stands twice above {nodes[0]}")
        return IssuingChain(
            line=tuple(offices),
            key=_jwk(parsed[0]),
            certified=_certified(found),
        )

    def issued_beside(self, der: bytes, chain: tuple[bytes, ...]) -> IssuingOffice:
        """The office of an issuing certificate that has the same issuer as a chain's leaf.

        The chain was verified; dates are not looked at. Raises `CertificateError`, and `ChainError`
        where the issuer is another one.
        """
        certificate = _issuing_certificate(der)
        issuers = [parse(chain[1])] if len(chain) > 1 else self.roots
        for issuer in issuers:
            if _issued(parse(chain[0]), issuer) and _issued(certificate, issuer):
                return issuing_office(certificate)
        raise ChainError("the issuing certificate is another office's, or altered")

    def root_again(self, der: bytes) -> bool:
        """Whether this certificate is one of a trusted root's office and key.

        Raises `CertificateError`.
        """
        certificate = _issuing_certificate(der)
        return _issued(certificate, certificate) and any(
            issuing_office(certificate) == issuing_office(root) for root in self.roots
        )

    def _examine(self, chain: tuple[bytes, ...], at: datetime) -> VerifiedChain:
        if not 1 <= len(chain) < certificates.MAXIMUM_DEPTH:
            raise ChainError(f"a chain has 1 to {certificates.MAXIMUM_DEPTH - 1} certificates")
        parsed = [parse(der) for der in chain]
        nodes = [examine_form(certificate) for certificate in parsed]
        _examine_leaf(parsed[0])
        found = self._found(parsed, at)
        if [c.public_bytes(Encoding.DER) for c in found[:-1]] != list(chain):
            raise ChainError("the token carries certificates that its chain does not need")
        top = found[-1]
        issuers = [*zip(nodes[1:], parsed[1:], strict=True), (examine_form(top), top)]
        path = Path(
            tuple(IssuingOffice(n, key_digest(_public_key(c))) for n, c in reversed(issuers)),
            nodes[0],
        )
        if len(set(path.offices)) != len(path.offices):
            raise PathError(f"an office stands twice in the path {path}")
        return VerifiedChain(
            path=path,
            key=_jwk(parsed[0]),
            not_before=max(c.not_valid_before_utc for c in found),
            not_after=min(c.not_valid_after_utc for c in found),
            certified=_certified(found),
        )

    def _found(
        self, parsed: Sequence[x509.Certificate], at: datetime, *, issuing: bool = False
    ) -> list[x509.Certificate]:
        # Expired and not leading to a root are different news for the sender, but the library
        # reports both in one text: look at the dates first.
        if not all(c.not_valid_before_utc <= at <= c.not_valid_after_utc for c in parsed):
            raise ExpiredError
        # Over a new top, the former root's key has a certificate in the chain: with all roots at
        # once the library would end at the former root, and not need what leads to the new one.
        roots = [root for root in self.roots if _issued(parsed[-1], root)]
        if not roots:
            raise ChainError("the certificates lead to no trusted root")
        policy = (
            verification.PolicyBuilder()
            .store(verification.Store(roots))
            .time(at)
            .max_chain_depth(certificates.MAXIMUM_DEPTH)
        )
        if issuing:
            # The library's rules for the first certificate are those for one that issues nothing.
            policy = policy.extension_policies(
                ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(),
                ee_policy=verification.ExtensionPolicy.permit_all(),
            )
        try:
            return policy.build_client_verifier().verify(parsed[0], list(parsed[1:])).chain
        except verification.VerificationError as error:
            raise ChainError(f"the certificates lead to no trusted root: {error}") from error


def key_digest(key: ec.EllipticCurvePublicKey) -> Digest:
    """SHA-256 of the public key (DER, SubjectPublicKeyInfo)."""
    return digest(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def issuing_office(certificate: x509.Certificate) -> IssuingOffice:
    """The office and key of an issuing certificate."""
    return IssuingOffice(
        certificates.node_of(certificate.extensions), key_digest(_public_key(certificate))
    )


def issuing_key(der: bytes) -> tuple[IssuingOffice, ECKey]:
    """Office and key of an issuing certificate, whoever issued it. Raises `CertificateError`."""
    certificate = _issuing_certificate(der)
    return issuing_office(certificate), _jwk(certificate)


def serial_of(certificate: x509.Certificate) -> str:
    """The serial number as revocation lists spell it."""
    return f"{certificate.serial_number:x}"


def _certified(found: Sequence[x509.Certificate]) -> tuple[Certified, ...]:
    # The last one is the root: nobody above it could revoke it.
    return tuple(
        Certified(key_digest(_public_key(above)), serial_of(certificate))
        for certificate, above in pairwise(found)
    )


def _jwk(certificate: x509.Certificate) -> ECKey:
    public = _public_key(certificate)
    return ECKey.import_key(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def parse(der: bytes) -> x509.Certificate:
    """A certificate from its bytes. Raises `CertificateError`."""
    try:
        return x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as error:
        raise CertificateError("a certificate cannot be read") from error


def _public_key(certificate: x509.Certificate) -> ec.EllipticCurvePublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise CertificateError("a certificate's key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CertificateError("a certificate's key is not on the curve P-256")
    return key


def examine_form(certificate: x509.Certificate, *, hosts: bool = False) -> NodeId:
    """The node that a certificate of the demanded form names, a server's among hosts.

    Raises `CertificateError`.
    """
    try:
        extensions = certificate.extensions
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateError("a certificate's extensions cannot be read") from error
    try:
        extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound as error:
        raise CertificateError("a certificate has no extended key usage") from error
    _public_key(certificate)
    return certificates.node_of(extensions, hosts=hosts)


def _issuing_certificate(der: bytes) -> x509.Certificate:
    certificate = parse(der)
    examine_form(certificate)
    _examine_issuing(certificate)
    return certificate


def _examine_issuing(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateError("an issuing certificate does not state its usage") from error
    if not constraints.ca or not usage.key_cert_sign or not usage.crl_sign:
        raise CertificateError("a node certificate may not issue certificates, nor lists of them")


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _examine_leaf(certificate: x509.Certificate) -> None:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound as error:
        raise CertificateError("a node certificate does not state its usage") from error
    if constraints.ca or not usage.digital_signature:
        raise CertificateError("an issuing certificate may not sign messages")
