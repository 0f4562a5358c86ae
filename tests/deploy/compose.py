"""docker-compose.yml as Docker Compose reads it: merged, with its variables filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?P<rest>[^}]*)\}")


def text() -> str:
    """The file without its comments."""
    lines = FILE.read_text("utf-8").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


def read() -> dict[str, Any]:
    """The file with its variables as they stand."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FILE)
    return content


def variables() -> Iterator[tuple[str, str]]:
    """Each use of a variable: its name, and what stands between the name and the brace."""
    for found in VARIABLE.finditer(text()):
        yield found["name"], found["rest"]


def fill(value: str, settings: Mapping[str, str]) -> str:
    """A value with its variables filled in: `${A:?text}` must be set, `${A:-b}` may be."""

    def one(found: re.Match[str]) -> str:
        held = settings.get(found["name"], "")
        if held or found["rest"].startswith(":-"):
            return held or found["rest"].removeprefix(":-")
        raise AssertionError(f"{found['name']} is not set")

    return VARIABLE.sub(one, value)


def environment(service: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service."""
    declared: dict[str, Any] = read()["services"][service]["environment"]
    return {name: fill(str(value), settings) for name, value in declared.items()}


def dotenv(file: Path) -> dict[str, str]:
    """A file of settings, one `NAME=value` a line."""
    lines = (line.partition("=") for line in file.read_text("utf-8").splitlines())
    return {name: value for name, sign, value in lines if sign and not name.startswith("#")}
