"""The errors of calls. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class UnknownCallError(NodeError):
    """There is no such call here, or it is not meant for this person."""

    code = "call.unknown"
    status = 404
    message = "没有找到这则约稿或通知。"


class CallStateError(NodeError):
    """The call is of a kind that is not answered."""

    code = "call.state"
    status = 409
    message = "这则通知无须应答。"
