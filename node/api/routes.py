"""The API under `/api/v1`."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from node.api import (
    assignments,
    audit,
    calls,
    casefiles,
    desk,
    drafts,
    editing,
    enrolments,
    files,
    hierarchy,
    imports,
    issues,
    items,
    links,
    merges,
    notices,
    offices,
    people,
    points,
    public,
    purges,
    quarantine,
    search,
    session,
    topics,
    units,
    year,
)
from node.http.problems import Problem
from node.http.session import same_origin

router = APIRouter(
    prefix="/api/v1",
    dependencies=[Depends(same_origin)],
    responses={"default": {"model": Problem, "description": "A problem document (RFC 9457)"}},
)
PARTS = (
    session,
    drafts,
    items,
    casefiles,
    desk,
    topics,
    editing,
    merges,
    assignments,
    issues,
    calls,
    search,
    files,
    notices,
    people,
    public,
    units,
    imports,
    links,
    hierarchy,
    offices,
    quarantine,
    purges,
    audit,
    enrolments,
    year,
    points,
)

for part in PARTS:
    router.include_router(part.router)
