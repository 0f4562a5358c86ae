"""The runbook and its scripts: what it names is there, what it calls can be called."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.deploy.operator import DEPLOY

RUNBOOK = (DEPLOY / "README.md").read_text("utf-8")
SCRIPTS = sorted([*DEPLOY.rglob("*.sh"), DEPLOY / "systemd" / "zhitong-office"])
SOURCED = {"account.sh"}


def test_every_file_that_the_runbook_names_is_there() -> None:
    named = set(re.findall(r"\b(?:deploy|requirements)/[\w.*@/-]*\w", RUNBOOK))
    assert len(named) > 10
    for name in named:
        assert list(DEPLOY.parent.glob(name)), name


def test_every_file_of_the_deployment_is_named_somewhere() -> None:
    texts = {
        file: file.read_text("utf-8")
        for file in [DEPLOY.parent / "docker-compose.yml", DEPLOY.parent / "Makefile", *_files()]
    }
    for file in _files():
        if file.name != "README.md" and not file.match("zhitong*@.service"):
            assert any(file.name in text for other, text in texts.items() if other != file), file


def _files() -> list[Path]:
    return [f for f in DEPLOY.rglob("*") if f.is_file() and "demo" not in f.parts]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_script_is_sound(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    if script.name not in SOURCED and script.parent != DEPLOY:
        assert os.access(script, os.X_OK)
        assert script.read_text().startswith("#!/bin/sh\n")
        assert "\nset -eu\n" in script.read_text()
