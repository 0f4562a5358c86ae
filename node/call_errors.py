"""The errors of calls. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class UnknownCallError(NodeError):
    """There is no such call here, or it is not meant for this person."""

    code = "call.unknown"
    status = 404
    message = "没有找到这则约稿或通知。"


class CallEndedError(NodeError):
    """The call was closed or withdrawn: it is neither answered nor handed on nor changed."""

    code = "call.ended"
    status = 409
    message = "这则约稿已经结束或撤回，不能再应答、转发或改动。要报送，请作为普通信息提交。"


class ForeignCallError(NodeError):
    """The call is one of the office above, which alone changes it."""

    code = "call.foreign"
    status = 409
    message = "这则约稿是上级机关发的，只有上级机关能改期、结束或撤回。"


class CallStateError(NodeError):
    """The call is of a kind that is not answered."""

    code = "call.state"
    status = 409
    message = "这则通知无须应答。"
