"""The errors of moving an office under another parent, and of ending a link."""

from __future__ import annotations

from node.errors import NodeError


class AlreadyThereError(NodeError):
    """The welcome is from the office under which this one stands already."""

    code = "move.already"
    status = 409
    message = "本机关已经在这个上级之下。"


class NewRootError(NodeError):
    """The welcome leads to another root: name its fingerprint with --root."""

    code = "move.root"
    message = "回文通向另一个根证书，请用 --root 写明事先核对过的根证书指纹。"


class UndrainedError(NodeError):
    """Messages on this link have no receipt yet; let it end on a later date, or end it by force."""

    code = "link.undrained"
    status = 409
    message = "这条线路上还有未收到回执的消息，请定一个以后的日期，或写明强制结束。"


class LinkNeededError(NodeError):
    """This is the link to the present parent: move the office first."""

    code = "link.needed"
    status = 409
    message = "这是与现任上级的线路，不能结束；请先办理划转。"


class LinkEndedError(NodeError):
    """The item was sent to a former parent, and the link to it has ended."""

    code = "link.ended"
    status = 409
    message = "这件信息报给了原上级，与原上级的线路已经结束。"


class LinkEndingError(NodeError):
    """A former parent sends no new work: only what belongs to what it was sent before."""

    code = "link.ending"
    status = 409
    message = "原上级只能继续办理此前报去的信息，不能再交办新的事项。"


class NotSentThereError(NodeError):
    """A former parent speaks of an item that was never sent there."""

    code = "link.not_sent"
    status = 409
    message = "这件信息没有报给过原上级。"
