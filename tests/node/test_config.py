"""Configuration: a file, which the environment overrides; a mistake is one clear sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from node import config
from node.config import Settings
from node.errors import ConfigurationError

OFFICE = """
[office]
id = "donghu"
name = "东湖县政协"
level = "county"
"""


def test_a_file_that_names_the_office_is_enough(tmp_path: Path) -> None:
    settings = _load(tmp_path, OFFICE)
    assert settings.office.reference.model_dump() == {
        "id": "donghu",
        "name": "东湖县政协",
        "level": "county",
    }
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/zhitong.sqlite"
    assert (settings.web.host, settings.web.secure_cookies) == ("127.0.0.1", True)
    assert (settings.parent, settings.hub) == (None, None)


def test_the_folder_stands_for_the_file_in_it(tmp_path: Path) -> None:
    in_folder = _load(tmp_path, OFFICE)
    assert config.load(tmp_path) == config.load(tmp_path / "zhitong.toml") == in_folder


def test_paths_are_seen_from_the_files_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    settings = _load(
        tmp_path,
        OFFICE
        + '[keys]\nnode_key = "secret/node.key"\nroot = "/etc/root.pem"\n'
        + '[database]\nurl = "sqlite+aiosqlite:///data/office.sqlite"\n',
    )
    assert settings.path(settings.keys.node_key) == tmp_path / "secret/node.key"
    assert settings.path(settings.keys.root) == Path("/etc/root.pem")
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/office.sqlite"


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite:////srv/office.sqlite", "postgresql+asyncpg://u:p@db/office"]
)
def test_a_whole_database_address_stays_as_it_is(tmp_path: Path, url: str) -> None:
    assert _load(tmp_path, f'{OFFICE}[database]\nurl = "{url}"\n').database_url == url


def test_the_environment_overrides_the_file_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHITONG_DATABASE__URL", "postgresql+asyncpg://secret@db/office")
    monkeypatch.setenv("ZHITONG_WEB__PORT", "9000")
    monkeypatch.setenv("ZHITONG_OFFICE__NAME", "东湖区政协")
    settings = _load(
        tmp_path,
        OFFICE + '[database]\nurl = "sqlite+aiosqlite:///x"\npool_size = 7\n[web]\nport = 8000\n',
    )
    assert settings.database_url == "postgresql+asyncpg://secret@db/office"
    assert (settings.database.pool_size, settings.web.port) == (7, 9000)
    assert (settings.office.id, settings.office.name) == ("donghu", "东湖区政协")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour = 1\n" + OFFICE, "colour: Extra inputs are not permitted"),
        ('folder = "/tmp"\n' + OFFICE, "folder: Extra inputs are not permitted"),
        (OFFICE + "colour = 1\n", "office.colour: Extra inputs are not permitted"),
        (OFFICE + "[web]\nprot = 80\n", "web.prot: Extra inputs are not permitted"),
        (OFFICE + "[web]\nport = 70000\n", "web.port"),
        (OFFICE + "[limits]\nbody_characters = 20001\n", "limits.body_characters"),
        (OFFICE + '[parent]\nid = "yunzhou"\nname = "云州"\n', "parent.level"),
        (OFFICE.replace("donghu", "Dong Hu"), "office.id"),
        (OFFICE.replace('"county"', '"3"'), "office.level"),
        (OFFICE + 'region_code = "4201"\n', "office.region_code"),
        ("[web]\nport = 80\n", "office: Field required"),
        ("office = donghu\n", "is not TOML"),
        ("", "office: Field required"),
    ],
)
def test_a_mistake_in_the_file_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=r"zhitong\.toml") as error:
        _load(tmp_path, text)
    assert said in error.value.detail


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "zhitong.toml").write_bytes(OFFICE.encode("gb18030"))
    with pytest.raises(ConfigurationError, match="is not TOML"):
        config.load(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot read .*nowhere: No such file"):
        config.load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ZHITONG_DATABASE", "postgresql://x", "database"),
        ("ZHITONG_WEB__PORT", "eighty", "web.port"),
        ("ZHITONG_WEB__PROT", "80", "web.prot"),
    ],
)
def test_a_mistake_in_the_environment_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        _load(tmp_path, OFFICE)
    assert said in error.value.detail
    assert value not in error.value.detail.replace("web.prot", "")


def test_where_the_configuration_lies_is_no_part_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The command line reads this variable.
    monkeypatch.setenv("ZHITONG_CONFIG", str(tmp_path))
    assert _load(tmp_path, OFFICE).office.id == "donghu"


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    settings: Any = _load(tmp_path, OFFICE)
    for part, name in ((settings, "office"), (settings.office, "id"), (settings.web, "port")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(part, name, None)


def _load(folder: Path, text: str) -> Settings:
    (folder / "zhitong.toml").write_text(text, "utf-8")
    return config.load(folder)
