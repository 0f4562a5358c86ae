"""All pages of an office."""

from __future__ import annotations

from fastapi import APIRouter, Depends

from node.http import session
from node.web import (
    account,
    archive,
    audit,
    calls,
    cases,
    design,
    desk,
    drafts,
    editing,
    hierarchy,
    imports,
    issues,
    items,
    notices,
    offices,
    people,
    points,
    previews,
    public,
    review_chain,
    static_files,
    topics,
    writing,
    year,
)
from node.web.routing import PageRoute, own_form

router = APIRouter(
    route_class=PageRoute,
    include_in_schema=False,
    dependencies=[Depends(session.same_origin), Depends(own_form)],
)
for part in (
    account,
    writing,
    drafts,
    desk,
    editing,
    items,
    previews,
    issues,
    cases,
    calls,
    notices,
    year,
    archive,
    hierarchy,
    offices,
    people,
    imports,
    public,
    review_chain,
    topics,
    points,
    audit,
    design,
    static_files,
):
    router.include_router(part.router)
