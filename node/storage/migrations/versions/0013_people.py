"""People with several roles, their units, appointments and logins, and what they were refused."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    _change_people()
    op.create_table(
        "units",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        _reference("units", "parent_id", "units.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_units")),
        sa.UniqueConstraint("code", name=op.f("uq_units_code")),
    )
    op.create_index("ix_units_parent_id", "units", ["parent_id"])
    op.create_index("ix_units_name", "units", ["name"])
    op.create_table(
        "memberships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("main", sa.Boolean(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        _reference("memberships", "person_id", "people.id"),
        _reference("memberships", "unit_id", "units.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
    )
    op.create_index("ix_memberships_person_id", "memberships", ["person_id"])
    op.create_index("ix_memberships_unit_id", "memberships", ["unit_id"])
    op.create_table(
        "appointments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("certificate", sa.String(length=60), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        _reference("appointments", "person_id", "people.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
        sa.UniqueConstraint("certificate", name=op.f("uq_appointments_certificate")),
    )
    op.create_index("ix_appointments_person_id", "appointments", ["person_id"])
    op.create_index("ix_appointments_until", "appointments", ["until"])
    op.create_table(
        "login_failures",
        sa.Column("name_digest", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("locked_until", TIME, nullable=True),
        sa.PrimaryKeyConstraint("name_digest", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_last_at", "login_failures", ["last_at"])
    op.create_index("ix_login_sessions_person_id", "login_sessions", ["person_id"])
    op.create_table(
        "refusals",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("username", sa.String(length=60), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.PrimaryKeyConstraint("day", "username", "action", name=op.f("pk_refusals")),
    )


def _change_people() -> None:
    with op.batch_alter_table("people") as batch_op:
        for gone in ("role", "failures", "locked_until"):
            batch_op.drop_column(gone)
        batch_op.alter_column("password_hash", existing_type=sa.String(200), nullable=True)
        batch_op.add_column(sa.Column("roles", JSON, nullable=False))
        batch_op.add_column(sa.Column("employee_number", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("phone", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("email", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("must_change", sa.Boolean(), nullable=False))
        batch_op.add_column(sa.Column("disabled_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("left_on", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("left_for", sa.String(length=200), nullable=True))
        batch_op.add_column(sa.Column("erased_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), nullable=False))
        batch_op.create_unique_constraint(op.f("uq_people_employee_number"), ["employee_number"])
        batch_op.create_index("ix_people_left_on", ["left_on"])


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column],
        [target],
        name=op.f(f"fk_{table}_{column}"),
        ondelete="RESTRICT",
        initially="DEFERRED",
        deferrable=True,
    )


def downgrade() -> None:
    op.drop_table("refusals")
    op.drop_index("ix_login_sessions_person_id", "login_sessions")
    for table in ("login_failures", "appointments", "memberships", "units"):
        op.drop_table(table)
    with op.batch_alter_table("people") as batch_op:
        batch_op.drop_index("ix_people_left_on")
        batch_op.drop_constraint(op.f("uq_people_employee_number"), type_="unique")
        for gone in (
            "version",
            "erased_at",
            "left_for",
            "left_on",
            "disabled_at",
            "must_change",
            "email",
            "phone",
            "employee_number",
            "roles",
        ):
            batch_op.drop_column(gone)
        batch_op.alter_column("password_hash", existing_type=sa.String(200), nullable=False)
        batch_op.add_column(sa.Column("role", sa.String(length=20), nullable=False))
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False))
        batch_op.add_column(sa.Column("locked_until", TIME, nullable=True))
