"""An office whose account owns no table works, and cannot get round the protection of its log."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from node.storage.audit import AuditRow, AuditSeal
from node.storage.database import Database
from tests.deploy.operator import DEPLOY
from tests.factories import NOW
from tests.servers import install
from tests.servers.postgres import USER, Postgres

OFFICE, OWNER = "accounts_office", "accounts_owner"
SCRIPT = DEPLOY / "postgresql" / "two-accounts.sql"


def run_script(postgres: Postgres) -> None:
    """As an administrator of the server runs it."""
    binaries = install.postgres_binaries()
    assert binaries is not None
    command = [binaries / "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    command += [f"--set=owner={OWNER}", f"--set=office={OFFICE}"]
    command += ["--host=127.0.0.1", f"--port={postgres.port}", f"--username={USER}", OFFICE]
    subprocess.run(command, input=SCRIPT.read_bytes(), check=True)


@pytest.fixture
async def office(postgres: Postgres, migrated: str) -> AsyncIterator[Database]:
    """The database of an office that was set up with two accounts."""
    address = await postgres.create_database(OFFICE, template=migrated)
    administrator = Database(address)
    async with administrator.engine.begin() as connection:
        await connection.execute(text(f"CREATE ROLE {OFFICE} LOGIN"))
    run_script(postgres)
    run_script(postgres)
    database = Database(
        make_url(address).set(username=OFFICE).render_as_string(hide_password=False)
    )
    yield database
    await database.close()
    async with administrator.engine.begin() as connection:
        for role in (OFFICE, OWNER):
            await connection.execute(text(f"REASSIGN OWNED BY {role} TO {USER}"))
            await connection.execute(text(f"DROP OWNED BY {role}"))
            await connection.execute(text(f"DROP ROLE {role}"))
    await administrator.close()
    await postgres.drop_database(OFFICE)


async def test_the_office_adds_and_seals_and_cannot_go_round_the_triggers(office: Database) -> None:
    async with office.writing.begin() as session:
        session.add(AuditRow(at=NOW, actor="a", action="b", detail={}, came_from="cli"))
        session.add(AuditSeal(seal=1, rows=1, hash="0" * 64, incarnation=1, at=NOW))
    async with office.writing.begin() as session:
        await session.get_one(AuditSeal, 1, with_for_update=True)
        await session.execute(text("UPDATE audit SET seal = 1"))
    for statement in (
        "ALTER TABLE audit DISABLE TRIGGER USER",
        "DROP TRIGGER audit_removed ON audit",
        "DROP TABLE audit_seals",
        "DELETE FROM audit",
        "UPDATE audit SET actor = 'nobody'",
        "UPDATE audit_seals SET at = now()",
        "SET session_replication_role = replica",
    ):
        with pytest.raises(DBAPIError, match=r"must be owner|permission denied|never changed"):
            async with office.writing.begin() as session:
                await session.execute(text(statement))
