"""The errors of issues. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class UnknownIssueError(NodeError):
    """There is no such issue here."""

    code = "issue.unknown"
    status = 404
    message = "没有找到这期刊物。"


class IssueStateError(NodeError):
    """The issue is signed, or withdrawn, and not what this needs."""

    code = "issue.state"
    status = 409
    message = "这期刊物目前的状态不允许这项操作。"


class IssueChangedError(NodeError):
    """Somebody changed the issue since it was looked at."""

    code = "issue.changed"
    status = 409
    message = "您打开之后，他人改过这期刊物，您的内容没有保存。请刷新后再改。"


class EmptyIssueError(NodeError):
    """An issue without items, or without somebody to whom it goes, is not signed."""

    code = "issue.empty"
    status = 409
    message = "请先选入信息、填写主送对象，再签发。"
