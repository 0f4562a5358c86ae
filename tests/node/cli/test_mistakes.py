"""A mistake of the caller is one line on standard error and exit code 2, and changes nothing."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from node import config
from node.storage.database import Database
from tests.node.cli.conftest import Zhitong
from tests.node.rooms import contents
from tests.offices import Hierarchy

GOOD: dict[str, Any] = {"title": "标题", "body": "正文。", "topic": "city"}
FRONT = "---\ntitle: 标题\ntopic: city\n"
CITY = ("--id", "yunzhou", "--name", "云州市政协", "--level", "city")


@pytest.fixture
def office(lone: Hierarchy) -> Path:
    """The folder of the county 东湖."""
    return lone.folder / "donghu"


@pytest.mark.parametrize(
    ("manuscript", "said"),
    [
        (json.dumps(GOOD | {"title": ""}), "title"),
        (json.dumps({"body": "正文。", "topic": "city"}), "title: Field required"),
        (json.dumps(GOOD | {"titel": "x"}), "titel: Extra inputs are not permitted"),
        (json.dumps(GOOD | {"body": "字" * 3001}), "正文有 3001 字，最多 3000 字"),
        (json.dumps(GOOD | {"title": "字" * 61}), "标题有 61 字，最多 60 字"),
        (json.dumps(GOOD | {"co_authors": [{"username": "nobody"}]}), "there is no account nobody"),
        (json.dumps(GOOD)[:-1], "the file is not JSON"),
        ('{"a":' * 100_000, "the file is not JSON"),
        ("正文。", "begins with a front matter"),
        (FRONT + "正文。", "the front matter is not closed"),
        (FRONT + "colour: red\n---\n正文。", "the front matter may hold"),
        (FRONT + "authors: a/b/c; 沈立群\n---\n正文。", "name/kind/unit, not '沈立群'"),
        (FRONT.replace("title: 标题\n", "") + "---\n正文。", "title: Field required"),
        (FRONT + "---\n", "body"),
        ("", "begins with a front matter"),
        (b"\xff\xfe", "is not UTF-8 text"),
        ("x" * (1024 * 1024 + 1), "more than 1048576 bytes"),
    ],
)
def test_a_manuscript_that_does_not_fit(
    zhitong: Zhitong, office: Path, manuscript: str | bytes, said: str
) -> None:
    before = _contents(office)
    outcome = zhitong("submit", "-", "--as", "lin", "-c", office, stdin=manuscript)
    assert said in outcome.mistake
    assert _contents(office) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("submit", "-", "--as", "nobody"), "[person.unknown]"),
        (("submit", "-", "--as", "admin"), "[access.forbidden]"),
        (("submit", "-", "--as", "editor"), "每位撰稿人都须有姓名、身份和单位"),
        (("submit", "nowhere.md", "--as", "lin"), "cannot read nowhere.md: No such file"),
        (("submit", ".", "--as", "lin"), "cannot read .: Is a directory"),
        (("show", str(uuid4())), "[item.unknown]"),
        (("show", "2026-0001"), "'2026-0001' is no item id"),
        (("user", "add", "lin", "--name", "林", "--role", "editor"), "[person.taken]"),
        (("user", "add", "wu", "--name", "吴", "--role", "king"), "没有 'king' 这个角色"),
        (("user", "add", "wu", "--name", "吴", "--role", "author"), "撰稿人须填写身份和单位"),
        (
            ("user", "add", "wu", "--name", "吴", "--role", "author", "--kind", "x", "--unit", "y"),
            "kind: Input should be",
        ),
        (("user", "add", "w" * 61, "--name", "吴", "--role", "editor"), "username"),
    ],
)
def test_a_command_that_cannot_be_carried_out(
    zhitong: Zhitong, office: Path, words: tuple[str, ...], said: str
) -> None:
    before = _contents(office)
    password = ("--password-stdin",) if words[0] == "user" else ()
    stdin = "a-long-password\n" if words[0] == "user" else json.dumps(GOOD)
    outcome = zhitong(*words, *password, "-c", office, stdin=stdin)
    assert said in outcome.mistake
    assert _contents(office) == before


@pytest.mark.parametrize("password", ["", "\n", "short\n"])
def test_a_password_that_is_too_short(zhitong: Zhitong, office: Path, password: str) -> None:
    words = ("user", "add", "wu", "--name", "吴", "--role", "editor", "--password-stdin")
    outcome = zhitong(*words, "-c", office, stdin=password)
    assert "at least 10 characters" in outcome.mistake


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("colour = 1\n", "colour: Extra inputs are not permitted"),
        ("[office]\n", "is not TOML"),
        ('[database]\nurl = "nonsense"\n', "the database's address is neither"),
        ('[database]\nurl = "sqlite+aiosqlite:///no/folder/x.sqlite"\n', "there is no folder"),
        (
            '[database]\nurl = "postgresql+asyncpg://zhitong:secret@127.0.0.1:1/x"\n',
            "[storage.away]",
        ),
    ],
)
def test_a_configuration_that_is_not_usable(
    zhitong: Zhitong, office: Path, more: str, said: str
) -> None:
    file = office / "zhitong.toml"
    head, _, tail = file.read_text("utf-8").partition("[web]")
    file.write_text(f"{more}{head}" if more.startswith("colour") else f"{head}{more}[web]{tail}")
    for words in (("migrate", office), ("show", str(uuid4()), "-c", office)):
        line = zhitong(*words).mistake
        assert said in line
        assert "secret" not in line
    outcome = zhitong("serve", office, "--no-migrate", "--log-level", "error")
    assert said in outcome.mistake


def test_a_database_without_tables(zhitong: Zhitong, tmp_path: Path) -> None:
    zhitong("init", tmp_path / "city", *CITY, "--top")
    outcome = zhitong("submit", "-", "--as", "lin", "-c", tmp_path / "city", stdin=json.dumps(GOOD))
    assert "run zhitong migrate" in outcome.mistake


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--id, --name and --level are needed"),
        (("--id", "yunzhou"), "--id, --name and --level are needed"),
        (("--id", "Yun Zhou", *CITY[2:]), "id: String should match"),
        ((*CITY[:4], "--level", "Grafschaft 3"), "level: String should match"),
        ((*CITY, "--region-code", "42"), "region_code: String should match"),
    ],
)
def test_an_office_that_cannot_be_set_up(
    zhitong: Zhitong, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in zhitong("init", tmp_path / "new", *words, stdin="{}").mistake
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(zhitong: Zhitong, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = zhitong("init", tmp_path / "file" / "new", *CITY)
    assert "cannot write" in outcome.mistake


def test_a_folder_that_is_an_office_already(zhitong: Zhitong, office: Path) -> None:
    assert "exists already" in zhitong("init", office, *CITY).mistake


def test_a_welcome_that_cannot_be_written_takes_nobody_in(
    zhitong: Zhitong, office: Path, tmp_path: Path
) -> None:
    before = _contents(office)
    words = ("donghu", "-o", tmp_path / "no" / "welcome", "-c", office)
    assert "there is no folder" in zhitong("enrolment", "approve", *words).mistake
    assert _contents(office) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give an address with --token"),
        (("https://a.example",), "give an address with --token"),
        (("--token", "ZT1"), "give an address with --token"),
        (("--request", "no/r", "--welcome", "w"), "give an address with --token"),
        (("https://a.example", "--token", "ZT1-A"), "[enrolment.token_form]"),
        (("--welcome", "nowhere"), "cannot read nowhere"),
        (("--welcome", "-"), "[enrolment.welcome]"),
        (("--welcome", "-", "--root", "abc"), "64 hexadecimal digits"),
        (("--request", "no/where"), "cannot write no/where"),
    ],
)
def test_an_enrolment_that_cannot_be(
    zhitong: Zhitong, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    folder = tmp_path / "new"
    zhitong("init", folder, *CITY)
    before = sorted(tmp_path.rglob("*"))
    outcome = zhitong("enrol", *words, "-c", folder, stdin="{}")
    assert outcome.code == 2
    assert said in outcome.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_request_that_is_none(zhitong: Zhitong, office: Path) -> None:
    outcome = zhitong("enrolment", "import", "-", "-c", office, stdin="{}")
    assert "no request of an office" in outcome.mistake


@pytest.mark.parametrize(
    "words",
    [
        ("serve",),
        ("nothing",),
        ("submit",),
        ("serve", ".", "--only", "x"),
        ("serve", ".", "--log-level", "loud"),
    ],
)
def test_words_that_the_command_line_does_not_know(
    zhitong: Zhitong, words: tuple[str, ...]
) -> None:
    outcome = zhitong(*words)
    assert (outcome.code, outcome.out) == (2, "")
    assert "Usage: " in outcome.err


def test_the_same_in_a_process_of_its_own(office: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "node", "show", str(uuid4()), "-c", office],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line == "zhitong: 没有找到这件信息。 There is no such item here. [item.unknown]"


def _contents(office: Path) -> dict[str, list[str]]:
    async def read() -> dict[str, list[str]]:
        database = Database(config.load(office).database_url)
        try:
            return await contents(database)
        finally:
            await database.close()

    return asyncio.run(read())
