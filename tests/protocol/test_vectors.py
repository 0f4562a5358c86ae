"""The golden vectors: they are read as another implementation would read them, and made anew.

Places and roots come from the files alone, not from the code that made them.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from cryptography import x509

from protocol import envelope, errors, evidence, revocation_list
from protocol.envelope import Opened
from protocol.errors import ProtocolError
from protocol.identifiers import Digest, node_id
from protocol.messages.items import Edition
from protocol.messages.work import Feedback
from protocol.place import Place
from protocol.revocation import Revoked
from protocol.trust import Chains, IssuingOffice, Path
from tests.protocol import make_vectors
from tests.protocol.make_vectors import FOLDER

README = FOLDER.parents[2] / "protocol" / "README.md"


def read(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def issuing(entry: dict[str, str]) -> IssuingOffice:
    return IssuingOffice(node_id(entry["id"]), Digest(entry["key_sha256"]))


ROOT = x509.load_pem_x509_certificate((FOLDER / "root.pem").read_bytes())
PLACES = {
    entry["id"]: Place(
        Path(tuple(issuing(issuer) for issuer in entry["issuers"]), node_id(entry["id"])),
        issuing(entry["issuing"]) if entry["issuing"] else None,
    )
    for entry in read("offices.json")
}
ACCEPTED, REFUSED = read("accepted.json"), read("refused.json")


def by_name(vector: dict[str, Any]) -> str:
    return str(vector["name"])


def chains_of(vector: dict[str, Any]) -> Chains:
    chains = Chains([ROOT])
    lists = [
        revocation_list.open_list(token.encode(), chains=chains)
        for token in vector.get("lists", ())
    ]
    chains.revoked = Revoked(one.known for one in lists)
    return chains


def opened(vector: dict[str, Any]) -> Opened:
    token, place = vector["token"].encode(), PLACES[vector["receiver"]]
    chains = chains_of(vector)
    if vector["way"] == "evidence":
        return envelope.open_evidence(token, chains=chains, place=place)
    now = datetime.fromisoformat(vector["now"])
    return envelope.open_message(token, chains=chains, place=place, now=now)


def result(vector: dict[str, Any]) -> dict[str, Any]:
    message, place = opened(vector), PLACES[vector["receiver"]]
    chains = chains_of(vector)
    found: dict[str, Any] = {
        "type": message.event.type,
        "path": list(message.path.offices),
        "from_above": message.from_above,
        "signed_at": message.signed_at.isoformat(),
        "incarnation": message.incarnation,
        "payload_sha256": message.digest,
    }
    if isinstance(message.data, Feedback):
        proven = evidence.fact_of(message, chains=chains, place=place)
        found["fact"] = proven.fact.model_dump(mode="json", exclude_none=True)
        found["fact_path"] = list(proven.path.offices)
        found["carriers"] = [list(path.offices) for path in proven.carriers]
    if isinstance(message.data, Edition):
        origins = evidence.origins_of(message, chains=chains, place=place)
        found["origins"] = [list(origin.path.offices) for origin in origins]
    return found


@pytest.mark.parametrize("vector", ACCEPTED, ids=by_name)
def test_what_is_to_be_accepted_opens_with_the_same_result(vector: dict[str, Any]) -> None:
    assert result(vector) == vector["result"]
    assert opened(vector).payload.decode() == vector["payload"]


@pytest.mark.parametrize("vector", REFUSED, ids=by_name)
def test_what_is_to_be_refused_is_refused_with_the_same_code(vector: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        result(vector)
    assert refused.value.code == vector["code"]


def test_every_code_that_a_message_can_get_has_a_vector() -> None:
    codes = {c.code for c in errors.EnvelopeError.__subclasses__()}
    codes |= {errors.EvidenceError.code, errors.NotMergedError.code, errors.ClassifiedError.code}
    # Two mebibytes are no vector.
    assert {vector["code"] for vector in REFUSED} == codes - {"envelope.too_large"}


def test_names_of_vectors_are_unique() -> None:
    names = [(vector.get("code"), vector["name"]) for vector in ACCEPTED + REFUSED]
    assert len(set(names)) == len(names)


def test_the_script_writes_the_same_bytes_again() -> None:
    made = make_vectors.generate()
    assert set(made) == {path.name for path in FOLDER.iterdir()}
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content, f"{name}: the wire format has changed"
