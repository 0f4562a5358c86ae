"""The errors of drafts. What they are, `node/errors` says."""

from __future__ import annotations

from typing import Any

from node.errors import NodeError


class UnknownDraftError(NodeError):
    """There is no such draft of this person."""

    code = "draft.unknown"
    status = 404
    message = "没有找到这份草稿，可能已经提交或删除。"


class UnknownVersionError(NodeError):
    """Of this draft, no such version is kept."""

    code = "draft.version_unknown"
    status = 404
    message = "没有保留草稿的这个版本。"


class TooManyDraftsError(NodeError):
    """The person has as many drafts as a person may have."""

    code = "draft.too_many"
    status = 409
    message = "草稿太多，请先提交或删除一些，再新建。"


class DraftChangedError(NodeError):
    """The draft was saved elsewhere since it was looked at; `stored` is what it says now."""

    code = "draft.changed"
    status = 409
    message = "这份草稿在别处又保存过，这次的内容没有保存。请对照已保存的内容，合并后再存。"

    def __init__(self, detail: str | None = None, stored: dict[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.stored = stored or {}
