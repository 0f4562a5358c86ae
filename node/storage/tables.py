"""All tables in one import, for migrations and for tests that compare."""

from __future__ import annotations

from node.storage import (
    assignments,
    audit,
    calls,
    certificates,
    desk,
    drafts,
    enrolments,
    events,
    files,
    issues,
    items,
    merges,
    messages,
    offices,
    people,
    places,
    public,
    purges,
    recovery,
    refusals,
    revocations,
    search,
    statements,
    topics,
)
from node.storage.base import Base

METADATA = Base.metadata
MODULES = (
    assignments,
    audit,
    calls,
    certificates,
    desk,
    drafts,
    enrolments,
    events,
    files,
    issues,
    items,
    merges,
    messages,
    offices,
    people,
    places,
    public,
    purges,
    recovery,
    refusals,
    revocations,
    search,
    statements,
    topics,
)
