"""The errors of enrolment: what the office that asks is told, and its administrator reads."""

from __future__ import annotations

from node.errors import NodeError


class EnrolmentTokenError(NodeError):
    """This office gave out no such token."""

    code = "enrolment.token"
    status = 401
    message = "准入码不对，请核对后重新输入，或请上级机关另发一个。"


class EnrolmentTokenExpiredError(NodeError):
    """The token has expired; ask the office above for another one."""

    code = "enrolment.token_expired"
    status = 403
    message = "准入码已过期，请上级机关另发一个。"


class EnrolmentTokenUsedError(NodeError):
    """The token was used for another request; ask the office above for another one."""

    code = "enrolment.token_used"
    status = 409
    message = "准入码已经用过，请上级机关另发一个。"


class EnrolmentTokenNameError(NodeError):
    """The token is for another office; ask the office above for one of your own."""

    code = "enrolment.token_name"
    status = 403
    message = "这个准入码是发给另一个机关的，请上级机关另发一个。"


class EnrolmentLockedOutError(NodeError):
    """Too many wrong tokens came from this address; try again in a quarter of an hour."""

    code = "enrolment.locked_out"
    status = 429
    permanent = False
    message = "准入码连续输错多次，已暂时锁定，请一刻钟后再试。"


class EnrolmentTakenError(NodeError):
    """An office of this name, with other keys, is known here; choose another id."""

    code = "enrolment.taken"
    status = 409
    message = "这个节点名已经有机关使用，不能再次准入；请核对节点名，或与上级机关联系。"


class EnrolmentAboveError(NodeError):
    """The name is that of the office above itself, or of one above it; choose another id."""

    code = "enrolment.above"
    status = 409
    message = "这个节点名是上级机关自己的，下级机关须另取节点名。"


class EnrolmentDepthError(NodeError):
    """A hub would stand too deep below the top: it could certify nobody."""

    code = "enrolment.depth"
    status = 409
    message = "层级太多，本机关之下不能再设有下级的机关。"


class EnrolmentLeafError(NodeError):
    """This office has no issuing certificate, so no office can come below it."""

    code = "enrolment.leaf"
    status = 409
    message = "本机关没有签发证书，不能接纳下级机关。"


class EnrolmentRefusedError(NodeError):
    """The office above refused the request."""

    code = "enrolment.refused"
    status = 409
    message = "上级机关未批准准入。"


class EnrolmentLapsedError(NodeError):
    """The welcome was not fetched in time; ask for another token and enrol again."""

    code = "enrolment.lapsed"
    status = 410
    message = "准入回文逾期未取，已作废；请上级机关另发准入码，重新申请。"


class EnrolmentBelowError(NodeError):
    """This office stands below another one already."""

    code = "enrolment.below"
    status = 409
    message = "本机关已经准入，不能再次准入。"


class UnknownEnrolmentError(NodeError):
    """There is no such request that can be decided on."""

    code = "enrolment.unknown"
    status = 404
    message = "没有找到这份准入申请，或者它已经办理。"


class ParentUnreachableError(NodeError):
    """The office above does not answer, or not as an office does; check the address."""

    code = "enrolment.unreachable"
    status = 503
    permanent = False
    message = "连接不上上级机关，请核对网址，稍后再试。"


class InsecureAddressError(NodeError):
    """The address of the office above must begin with https://."""

    code = "enrolment.insecure"
    message = "上级机关的网址须以 https:// 开头。"
