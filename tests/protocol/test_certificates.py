"""What `protocol/certificates.py` issues, and what it refuses to issue."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from protocol import certificates
from protocol.certificates import Issuer, Term
from protocol.errors import CertificateError
from protocol.identifiers import node_id
from tests.authorities import der, hierarchy, key, line
from tests.factories import NOW

OFFICES = hierarchy(now=NOW)
TERM = Term(NOW, 365, 42)


def issuer_of(name: str) -> Issuer:
    issuer = OFFICES[name].issuer
    assert issuer is not None
    return issuer


def path_length(certificate: x509.Certificate) -> int | None:
    return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length


def test_a_node_certificate_says_who_may_sign_and_until_when() -> None:
    asked = certificates.request(node_id("donghu"), key("donghu"))
    made = certificates.node_certificate(asked, issuer_of("yunzhou"), TERM)
    assert made.subject.rfc4514_string() == "CN=donghu,O=Zhitong"
    assert made.issuer.rfc4514_string() == "CN=yunzhou issuing,O=Zhitong"
    assert made.serial_number == 42
    assert made.not_valid_before_utc == NOW - timedelta(hours=24)
    assert made.not_valid_after_utc == NOW + timedelta(days=365)
    assert made.public_key() == key("donghu").public_key()
    found = {extension.oid._name: extension for extension in made.extensions}
    assert set(found) == {
        "subjectAltName",
        "extendedKeyUsage",
        "subjectKeyIdentifier",
        "authorityKeyIdentifier",
        "basicConstraints",
        "keyUsage",
    }
    assert {name for name, e in found.items() if e.critical} == {"basicConstraints", "keyUsage"}
    names = list(found["subjectAltName"].value)
    assert names == [x509.UniformResourceIdentifier("urn:zhitong:node:donghu")]
    usages = [usage.dotted_string for usage in found["extendedKeyUsage"].value]
    assert usages == ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.36"]
    usage = found["keyUsage"].value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert not found["basicConstraints"].value.ca


def test_an_issuing_certificate_may_certify_and_nothing_else() -> None:
    made = issuer_of("yunzhou").certificate
    assert made.subject.rfc4514_string() == "CN=yunzhou issuing,O=Zhitong"
    usage = made.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.key_cert_sign
    assert not usage.digital_signature
    assert made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_root_certifies_itself() -> None:
    made = issuer_of("jiangyuan").certificate
    assert made.subject == made.issuer
    made.verify_directly_issued_by(made)
    assert certificates.node_of(made.extensions) == "jiangyuan"


def test_the_same_call_makes_the_same_certificate() -> None:
    assert der(hierarchy(now=NOW)["donghu"].certificate) == der(OFFICES["donghu"].certificate)
    requests = {
        certificates.request(node_id("donghu"), key("donghu")).public_bytes(Encoding.DER)
        for _ in range(3)
    }
    assert len(requests) == 1


def test_each_hub_may_have_one_level_less_below_it() -> None:
    names = ("quanguo", "jiangyuan", "yunzhou", "donghu", "jiedao", "shequ")
    offices = line(*names, now=NOW)
    lengths = [path_length(o.issuer.certificate) for o in offices.values() if o.issuer is not None]
    assert lengths == [4, 3, 2, 1, 0]
    assert len(offices["shequ"].signer.chain) == certificates.MAXIMUM_DEPTH - 1


def test_a_hub_below_the_last_level_is_not_certified() -> None:
    names = ("quanguo", "jiangyuan", "yunzhou", "donghu", "jiedao", "shequ", "xiaoqu")
    with pytest.raises(CertificateError, match="shequ would stand too deep"):
        line(*names, now=NOW)


@pytest.mark.parametrize("issue", [certificates.node_certificate, certificates.issuing_certificate])
def test_a_request_that_its_key_did_not_sign_is_refused(issue: object) -> None:
    text = certificates.request(node_id("donghu"), key("donghu")).public_bytes(Encoding.DER)
    asked = x509.load_der_x509_csr(text[:-1] + bytes([text[-1] ^ 1]))
    assert callable(issue)
    with pytest.raises(CertificateError, match="not signed by the key that it names"):
        issue(asked, issuer_of("yunzhou"), TERM)


def test_a_request_for_a_key_on_another_curve_is_refused() -> None:
    asked = _request(ec.generate_private_key(ec.SECP384R1()), "urn:zhitong:node:donghu")
    with pytest.raises(CertificateError, match="not on the curve P-256"):
        certificates.node_certificate(asked, issuer_of("yunzhou"), TERM)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], "names no node"),
        (["urn:zhitong:node:donghu", "urn:zhitong:node:xishan"], "exactly one name"),
        (["https://donghu.example"], "names no node"),
        (["urn:zhitong:node:Donghu"], "names no node"),
    ],
)
def test_a_request_must_name_one_node(names: list[str], text: str) -> None:
    with pytest.raises(CertificateError, match=text):
        certificates.node_certificate(_request(key("donghu"), *names), issuer_of("yunzhou"), TERM)


def _request(secret: ec.EllipticCurvePrivateKey, *names: str) -> x509.CertificateSigningRequest:
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if names:
        uris = [x509.UniformResourceIdentifier(name) for name in names]
        builder = builder.add_extension(x509.SubjectAlternativeName(uris), critical=False)
    return builder.sign(secret, SHA256())
