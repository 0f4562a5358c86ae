"""The errors of topics. What they are, `node/errors` says."""

from __future__ import annotations

from collections.abc import Sequence

from node.errors import NodeError


class TopicError(NodeError):
    """The office's code table has no such topic, or does not use it any more."""

    code = "topic.unknown"
    status = 422
    message = "本机关没有这个领域，或者已经停用。请从列出的领域中选择。"

    def __init__(self, detail: str | None = None, *, found: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.found = tuple(found)
        """The codes that can be chosen, and what they are called."""


class TopicsChangedError(NodeError):
    """Somebody changed the code table since it was looked at."""

    code = "topic.changed"
    status = 409
    message = "您打开之后，他人改过领域代码表，您的内容没有保存。请刷新后再改。"
