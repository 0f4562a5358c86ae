"""The errors of the work at the desk. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class ClaimedError(NodeError):
    """Somebody else works on the item; who and until when is in the detail."""

    code = "desk.claimed"
    status = 409
    message = "这件信息正由他人办理。请与其联系，或者接手办理后再试。"


class StaleError(NodeError):
    """The item changed since it was looked at; what changed is in the detail."""

    code = "desk.stale"
    status = 409
    message = "您打开之后，这件信息有了新的变动，您的内容没有保存。请对照最新一稿后再办理。"


class UnchangedError(NodeError):
    """The new edition says what the one before says."""

    code = "desk.unchanged"
    status = 409
    message = "内容与上一稿相同，没有需要保存的修改。"


class UnknownEditionError(NodeError):
    """The item has no such edition here."""

    code = "desk.edition_unknown"
    status = 404
    message = "这件信息没有这一稿。"


class NoChainError(NodeError):
    """The office has no approval chain."""

    code = "desk.no_chain"
    status = 409
    message = "本机关没有设定审签流程，无须送审。"


class NoReviewError(NodeError):
    """The item is not in review."""

    code = "desk.no_review"
    status = 409
    message = "这件信息没有在审的稿件。"


class InReviewError(NodeError):
    """The item is in review already."""

    code = "desk.in_review"
    status = 409
    message = "这件信息正在审签，无须再次送审。"


class ChecksError(NodeError):
    """The office demands all five checks before review; which are missing is in the detail."""

    code = "desk.checks"
    status = 409
    message = "五关尚未全部通过，不能送审。"


class NotSignedError(NodeError):
    """The office's chain has to sign this edition first."""

    code = "desk.not_signed"
    status = 409
    message = "本机关规定审签之后才能采用或上报，这一稿还没有签发。"


class UnknownDeputyError(NodeError):
    """There is no such deputy."""

    code = "desk.deputy_unknown"
    status = 404
    message = "没有找到这项代办。"


class NotSharedError(NodeError):
    """The other office does not have this item."""

    code = "item.not_shared"
    status = 409
    message = "对方机关没有这件信息，无法附言；请先上报。"


class PointsChangedError(NodeError):
    """Somebody changed the rules for points since they were looked at."""

    code = "points.changed"
    status = 409
    message = "您打开之后，他人改过计分规则，您的内容没有保存。请刷新后再改。"
