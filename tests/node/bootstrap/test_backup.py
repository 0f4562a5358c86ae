"""A backup holds everything and says so; a damaged one, or a wrong passphrase, restores nothing."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from node import config
from node.bootstrap import archive, restoration, vault
from node.bootstrap import node as bootstrap
from node.bootstrap.archive import Backup
from node.bootstrap.node import system_clock
from node.errors import BackupError, PassphraseError
from node.keys import file
from node.search import index
from node.storage import dump
from node.storage.audit import AuditRow
from node.storage.database import Database, Session
from node.storage.offices import Office
from node.storage.people import LoginSession
from node.storage.recovery import Epoch
from node.workflow import decisions, searching, submissions
from tests.node.rooms import Room, draft

PASSPHRASE = "correct horse battery staple"
FILE = b"%PDF-1.7 the report of the district"


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing is to be slow; testing is not."""
    monkeypatch.setattr(vault, "COST", 2**10)


async def test_every_row_file_and_key_comes_back(leaf: Room, tmp_path: Path) -> None:
    await _work(leaf)
    await _back_up(leaf, tmp_path / "a.backup")
    await _restore(tmp_path / "a.backup", tmp_path / "again")
    settings = config.load(tmp_path / "again")
    database = Database(settings.database_url)
    changed = {"audit", "offices", "epochs", "recoveries", "login_sessions"}
    async with leaf.database.reading() as old, database.reading() as new:
        for table in dump.TABLES:
            if table.name not in changed:
                query = select(table).order_by(*table.primary_key.columns)
                assert (await old.execute(query)).all() == (await new.execute(query)).all()
    await database.close()
    digest = hashlib.sha256(FILE).hexdigest()
    assert (tmp_path / "again/files" / digest[:2] / digest).read_bytes() == FILE
    for name in ("keys/node.key", "keys/root.pem"):
        restored = tmp_path / "again" / name
        assert restored.read_bytes() == (leaf.node.settings.folder / name).read_bytes()
        assert restored.stat().st_mode & 0o077 == 0


async def test_a_backup_between_two_keys_holds_both(leaf: Room, tmp_path: Path) -> None:
    # The chain was replaced, and its key still lies beside the old one.
    keys = leaf.node.settings.folder / "keys"
    (keys / "node.key").rename(keys / "node.key.next")
    file.write_private_key(keys / "node.key", file.new_private_key(), None)
    await _back_up(leaf, tmp_path / "a.backup")
    await _restore(tmp_path / "a.backup", tmp_path / "again")
    restored = bootstrap.build(config.load(tmp_path / "again"))
    restored.signer()
    await restored.desk.database.close()


async def test_the_restored_node_is_a_new_incarnation_where_nobody_is_logged_in(
    leaf: Room, tmp_path: Path
) -> None:
    await _work(leaf)
    await _back_up(leaf, tmp_path / "a.backup")
    await _restore(tmp_path / "a.backup", tmp_path / "again")
    database = Database(config.load(tmp_path / "again").database_url)
    async with database.reading() as session:
        own = await session.get_one(Office, leaf.desk.node)
        assert own.incarnation > 1_000_000_000_000
        assert (await session.scalars(select(Epoch.incarnation))).one() == own.incarnation
        assert await session.scalar(select(func.count()).select_from(LoginSession)) == 0
        action = await session.scalar(select(AuditRow.action).order_by(AuditRow.id.desc()).limit(1))
        assert action == "restored"
    await database.close()


async def test_the_search_index_is_in_no_backup_and_a_restored_node_makes_it_anew(
    leaf: Room, tmp_path: Path
) -> None:
    item = await leaf.submit(title="加装电梯")
    await index.step(leaf.database)
    await _back_up(leaf, tmp_path / "a.backup")
    with zipfile.ZipFile(tmp_path / "a.backup") as archive:
        assert not any("search" in name for name in archive.namelist())
    await _restore(tmp_path / "a.backup", tmp_path / "again")
    restored = bootstrap.build(config.load(tmp_path / "again")).desk
    assert (await searching.search(restored, leaf.editor, "电梯")).total == 0
    assert await index.step(restored.database) == 1
    found = await searching.search(restored, leaf.editor, "电梯")
    assert [hit.item.id for hit in found.hits] == [item]
    await restored.database.close()


async def test_what_people_do_meanwhile_is_not_in_the_backup(county: Room) -> None:
    await _work(county)
    async with dump.snapshot(county.database) as session:
        before = {table.name: await _lines(session, table) for table in dump.TABLES}
        await _work(county)
        after = {table.name: await _lines(session, table) for table in dump.TABLES}
    assert before == after
    assert len(before["items"]) == 1


async def test_a_wrong_passphrase_restores_nothing(leaf: Room, tmp_path: Path) -> None:
    await _back_up(leaf, tmp_path / "a.backup")
    with pytest.raises(PassphraseError, match="wrong"):
        await _restore(tmp_path / "a.backup", tmp_path / "again", "wrong horse battery staple")
    assert not (tmp_path / "again").exists()


async def test_a_short_passphrase_is_refused(leaf: Room, tmp_path: Path) -> None:
    with pytest.raises(PassphraseError, match="at least 12"):
        await _back_up(leaf, tmp_path / "a.backup", passphrase="short")
    assert not (tmp_path / "a.backup").exists()
    assert not (tmp_path / "a.backup.partial").exists()


async def test_a_backup_is_never_overwritten(leaf: Room, tmp_path: Path) -> None:
    (tmp_path / "a.backup").write_text("the only one")
    with pytest.raises(BackupError, match="exists already"):
        await _back_up(leaf, tmp_path / "a.backup")
    assert (tmp_path / "a.backup").read_text() == "the only one"


async def test_a_folder_that_holds_something_is_not_restored_into(
    leaf: Room, tmp_path: Path
) -> None:
    await _back_up(leaf, tmp_path / "a.backup")
    (tmp_path / "again").mkdir()
    (tmp_path / "again/zhitong.toml").write_text("another office")
    with pytest.raises(BackupError, match="not empty"):
        await _restore(tmp_path / "a.backup", tmp_path / "again")
    assert (tmp_path / "again/zhitong.toml").read_text() == "another office"


@pytest.mark.parametrize("member", ["tables/items.jsonl", "tables/people.jsonl"])
async def test_an_altered_table_is_noticed_and_nothing_is_written(
    leaf: Room, tmp_path: Path, member: str
) -> None:
    await _work(leaf)
    await _back_up(leaf, tmp_path / "a.backup")
    _alter(tmp_path / "a.backup", member)
    with pytest.raises(BackupError, match="altered"):
        await _restore(tmp_path / "a.backup", tmp_path / "again")
    database = Database(config.load(tmp_path / "again").database_url)
    async with database.reading() as session:
        assert await dump.is_empty(session)
    await database.close()


async def test_altered_keys_are_noticed(leaf: Room, tmp_path: Path) -> None:
    await _back_up(leaf, tmp_path / "a.backup")
    _alter(tmp_path / "a.backup", "sealed.json")
    with pytest.raises(BackupError, match="altered"):
        await _restore(tmp_path / "a.backup", tmp_path / "again")


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut off"])
def test_what_is_no_backup_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.backup").write_bytes(content)
    with pytest.raises(BackupError, match="cannot be read as a backup"):
        Backup(tmp_path / "a.backup")


async def _work(room: Room) -> None:
    item = await submissions.submit(room.desk, room.lin, draft())
    await decisions.register(room.desk, room.editor, item)
    digest = hashlib.sha256(FILE).hexdigest()
    path = room.node.settings.path(room.node.settings.files.folder) / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(FILE)


async def _lines(session: Session, table: Table) -> list[bytes]:
    return [line async for line in dump.lines(session, table)]


async def _back_up(
    room: Room,
    file: Path,
    progress: archive.Progress = lambda _table, _rows: None,
    passphrase: str = PASSPHRASE,
) -> dict[str, int]:
    return await archive.write(
        room.node.settings,
        room.database,
        file,
        passphrase=passphrase,
        now=system_clock(),
        progress=progress,
    )


async def _restore(file: Path, folder: Path, passphrase: str = PASSPHRASE) -> None:
    with Backup(file) as backup:
        await restoration.restore(
            backup,
            folder,
            passphrase=passphrase,
            now=system_clock(),
            progress=lambda _table, _rows: None,
        )


def _alter(file: Path, member: str) -> None:
    with zipfile.ZipFile(file) as archive_:
        content = {name: archive_.read(name) for name in archive_.namelist()}
    content[member] = content[member].replace(b"1", b"2", 1)
    with zipfile.ZipFile(file, "w") as archive_:
        for name, data in content.items():
            archive_.writestr(name, data)
