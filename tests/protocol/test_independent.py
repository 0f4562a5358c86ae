"""Programs that share no code with us agree: the npm package jose, and openssl."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocol.identifiers import digest
from tests import authorities
from tests.authorities import hierarchy, line
from tests.factories import NOW, make_id, make_submission, make_token
from tests.protocol import forgery, programs
from tests.protocol.forgery import header, respell, sign
from tests.protocol.programs import ROOT, run, verified_by_jose
from tests.protocol.scene import DONGHU, OFFICES, PAYLOAD, TOKEN, XISHAN, YUNZHOU
from tests.protocol.test_vectors import ACCEPTED

HEAD, BODY, SIGNATURE = TOKEN.split(b".")
TAMPERED = {
    "payload": b".".join((HEAD, forgery.encode(PAYLOAD.replace(b"normal", b"urgent")), SIGNATURE)),
    "header": sign(header(DONGHU.signer, inc=2), PAYLOAD, DONGHU.signer).split(b".")[0]
    + b"."
    + BODY
    + b"."
    + SIGNATURE,
    "signature": TOKEN[:-8] + b"AAAAAAAA",
    "spelling": b".".join((HEAD, BODY, respell(SIGNATURE))),
    "key": sign(header(XISHAN.signer), PAYLOAD, DONGHU.signer),
    "algorithm": sign(header(DONGHU.signer, alg="none"), PAYLOAD, DONGHU.signer),
}


# jose. -------------------------------------------------------------------------------------------


def test_jose_verifies_what_we_seal(jose: Path) -> None:
    data = make_submission(title="含“引号”与𠮷字", body="一\n\t二\\")
    token = make_token(data, DONGHU, YUNZHOU, subject=make_id(1))
    [result] = verified_by_jose(jose, [token])
    payload = forgery.decode(token.split(b".")[1])
    assert result == {"payload": payload.decode(), "payload_sha256": digest(payload)}


def test_jose_verifies_the_golden_vectors(jose: Path) -> None:
    results = verified_by_jose(jose, [vector["token"].encode() for vector in ACCEPTED])
    assert [result.get("payload") for result in results] == [v["payload"] for v in ACCEPTED]
    digests = [vector["result"]["payload_sha256"] for vector in ACCEPTED]
    assert [result.get("payload_sha256") for result in results] == digests


def test_jose_refuses_tampered_tokens(jose: Path) -> None:
    results = verified_by_jose(jose, list(TAMPERED.values()))
    errors = dict(
        zip(TAMPERED, (result.get("error", "verified") for result in results), strict=True)
    )
    for name in ("payload", "header", "signature", "key"):
        assert errors[name].startswith("ERR_JWS_SIGNATURE_VERIFICATION_FAILED"), name
    assert "canonical spelling" in errors["spelling"]
    assert errors["algorithm"].startswith("ERR_JOSE_ALG_NOT_ALLOWED")


# openssl. ----------------------------------------------------------------------------------------


def chain_verified(
    openssl: str, folder: Path, root: x509.Certificate, chain: tuple[bytes, ...], at: datetime
) -> subprocess.CompletedProcess[str]:
    texts = [authorities.pem(x509.load_der_x509_certificate(der)) for der in chain]
    (folder / "root.pem").write_text(authorities.pem(root))
    (folder / "leaf.pem").write_text(texts[0])
    (folder / "issuers.pem").write_text("".join(texts[1:]))
    return run(
        *(openssl, "verify", "-x509_strict", "-purpose", "sslclient", "-no-CApath", "-no-CAstore"),
        *("-attime", str(int(at.timestamp())), "-CAfile", folder / "root.pem"),
        *(("-untrusted", folder / "issuers.pem") if texts[1:] else ()),
        folder / "leaf.pem",
    )


@pytest.mark.parametrize("name", list(OFFICES))
def test_openssl_verifies_the_chain_of_every_office(
    openssl: str, tmp_path: Path, name: str
) -> None:
    office = OFFICES[name]
    done = chain_verified(openssl, tmp_path, office.root, office.signer.chain, NOW)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/leaf.pem: OK\n"), done.stderr


def test_openssl_verifies_the_longest_chain(openssl: str, tmp_path: Path) -> None:
    office = line(*(f"level-{n}" for n in range(6)), now=NOW)["level-5"]
    done = chain_verified(openssl, tmp_path, office.root, office.signer.chain, NOW)
    assert done.returncode == 0, done.stderr


def test_openssl_refuses_a_stranger_an_incomplete_chain_and_another_time(
    openssl: str, tmp_path: Path
) -> None:
    stranger = hierarchy(now=NOW, seed="elsewhere")["donghu"].signer.chain
    own = DONGHU.signer.chain
    mixed = (stranger[0], own[1])
    for chain, at in (
        (stranger, NOW),
        (own[:1], NOW),
        (mixed, NOW),
        (own, NOW + timedelta(days=4_000)),
        (own, NOW - timedelta(days=2)),
    ):
        done = chain_verified(openssl, tmp_path, DONGHU.root, chain, at)
        assert done.returncode == 2
        assert "verification failed" in done.stderr


@pytest.mark.parametrize("name", ["intact", "payload", "header", "signature", "key"])
def test_openssl_verifies_signatures_and_refuses_tampered_ones(
    openssl: str, tmp_path: Path, name: str
) -> None:
    token = TAMPERED.get(name, TOKEN)
    signed, _, signature = token.rpartition(b".")
    raw = forgery.decode(signature)
    numbers = (int.from_bytes(part, "big") for part in (raw[:32], raw[32:]))
    leaf = base64.b64decode(json.loads(forgery.decode(token.split(b".")[0]))["x5c"][0])
    key = x509.load_der_x509_certificate(leaf).public_key()
    (tmp_path / "key.pem").write_bytes(
        key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "signature.der").write_bytes(encode_dss_signature(*numbers))
    (tmp_path / "signed").write_bytes(signed)
    command = (openssl, "dgst", "-sha256", "-verify", "key.pem", "-signature", "signature.der")
    done = run(*command, "signed", cwd=tmp_path)
    assert (done.stdout.strip() == "Verified OK") is (name == "intact")


# The README. -------------------------------------------------------------------------------------


def test_the_commands_of_the_readme_work(openssl: str, tmp_path: Path) -> None:
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed, so the README's commands cannot be tried")
    script = "set -euo pipefail\n" + programs.code("sh", "Checking it by hand")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = run("bash", "-c", script, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stderr
    assert "leaf.pem: OK\n" in done.stdout
    assert "Verified OK\n" in done.stdout
    assert ACCEPTED[0]["payload"] in done.stdout
    assert ACCEPTED[0]["result"]["payload_sha256"] in done.stdout


def test_the_script_of_the_readme_works(jose: Path) -> None:
    done = programs.run_script(jose, programs.code("js", "Checking it by hand"))
    assert done.stdout == ACCEPTED[0]["payload"] + "\n", done.stderr
