"""The README's way to check a file of evidence, with jose and openssl, agrees with ours."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from protocol import bundle
from protocol.bundle import Sent
from tests import authorities
from tests.authorities import hierarchy
from tests.factories import NOW, make_feedback, make_id, make_token
from tests.protocol import programs
from tests.protocol.bundles import LISTS, RECEIPT, RECEIVED, SENT, fact, make_bundle, own, told
from tests.protocol.lists import entry, sealed, since
from tests.protocol.scene import DONGHU, ITEM, JIANGYUAN, LANJIANG, YUNZHOU

SCRIPT = programs.code("js", "Checking a file of evidence by hand")
OTHER_ROOT = hierarchy(now=NOW, seed="other")["donghu"].root
STEP = 97


def listed(*said: Any, **changed: Any) -> str:
    return sealed(*said, **changed).decode()


def checked(
    jose: Path, folder: Path, root: Any = DONGHU.root, **changed: object
) -> subprocess.CompletedProcess[str]:
    programs.openssl()
    (folder / "evidence.json").write_bytes(bundle.write(make_bundle(**changed)))
    (folder / "root.pem").write_text(authorities.pem(root))
    return programs.run_script(jose, SCRIPT, folder / "evidence.json", folder / "root.pem")


def test_the_script_of_the_readme_verifies_a_bundle(jose: Path, tmp_path: Path) -> None:
    done = checked(jose, tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(";")[0] for line in lines[:2]] == [
        "jiangyuan lists 0 certificates",
        "jiangyuan/yunzhou lists 1 certificates",
    ]
    lines = lines[2:]
    assert lines[0].startswith("jiangyuan/yunzhou/donghu sent cn.zhitong.submission.v1 of ")
    assert lines[1].startswith("  jiangyuan/yunzhou received it; signed ")
    assert [line.split(" at ")[0] for line in lines[2:]] == [
        "jiangyuan/yunzhou/donghu states, 1: registered",
        "jiangyuan/yunzhou/donghu states, 2: forwarded",
        "jiangyuan/yunzhou states, 1: registered",
        "jiangyuan/yunzhou states, 2: adopted",
        "jiangyuan/yunzhou states, 3: forwarded",
        "jiangyuan states, 1: registered",
        "jiangyuan states, 2: instructed",
    ]
    assert lines[-1].endswith(", handed on by jiangyuan/yunzhou")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"root": OTHER_ROOT, "lists": ()}, "unable to get local issuer certificate"),
        ({"item": make_id(9)}, "a message is about another item"),
        ({"office": "xishan"}, "signed by another office"),
        ({"received": RECEIVED[1:]}, "a fact of jiangyuan/yunzhou is missing"),
        ({"sent": (SENT[0], SENT[2])}, "a fact of jiangyuan/yunzhou/donghu is missing"),
        ({"sent": (*SENT, Sent(token=RECEIVED[0]))}, "signed by another office"),
        ({"sent": (*SENT, own(fact("closed", YUNZHOU, 4)))}, "not one of its signer"),
        (
            {"received": (*RECEIVED, told(YUNZHOU, DONGHU, about=fact("closed", DONGHU, 3)))},
            "not one of its signer",
        ),
        ({"sent": (Sent(token=SENT[0].token, receipt=RECEIVED[0]), *SENT[1:])}, "is no receipt"),
        ({"lists": (listed(YUNZHOU, entry(DONGHU)),)}, "nothing shows that this is older"),
        ({"lists": (listed(JIANGYUAN, entry(YUNZHOU)),)}, "nothing shows that this is older"),
        (
            {"lists": (LISTS[1], listed(JIANGYUAN, entry(YUNZHOU, issuing=True)))},
            "a list of an office that was revoked",
        ),
        ({"lists": (listed(LANJIANG),)}, "a list of elsewhere"),
        ({"lists": (listed(YUNZHOU, signer=YUNZHOU.signer),)}, "a list of another office"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_script_of_the_readme_finds_what_is_wrong(
    jose: Path, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    done = checked(jose, tmp_path, **changed)
    assert done.returncode != 0
    assert said in done.stderr


def test_the_script_of_the_readme_counts_what_its_carrier_had_before(
    jose: Path, tmp_path: Path
) -> None:
    decided = make_token(
        make_feedback(fact("registered", JIANGYUAN, 1)), JIANGYUAN, YUNZHOU, subject=ITEM
    )
    for hours, code in ((2, 0), (1, 1)):
        data = make_feedback(evidence=decided).model_copy(update={"received_at": since(hours)})
        token = make_token(data, YUNZHOU, DONGHU, subject=ITEM).decode()
        gone = (listed(JIANGYUAN, entry(JIANGYUAN)),)
        done = checked(jose, tmp_path, lists=gone, received=(*RECEIVED[:3], token))
        assert done.returncode == code, done.stderr


def test_jose_refuses_every_token_of_a_bundle_in_which_a_character_was_changed(jose: Path) -> None:
    tokens = [*(sent.token for sent in SENT), RECEIPT, *RECEIVED, *LISTS]
    altered = [
        token[:position] + ("A" if token[position] != "A" else "B") + token[position + 1 :]
        for token in tokens
        for position in (*range(0, len(token), STEP), len(token) - 1)
    ]
    results = programs.verified_by_jose(jose, [token.encode() for token in altered])
    assert all("error" in result for result in results)
