"""The errors of assignments and ratings. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class UnknownAssignmentError(NodeError):
    """There is no such assignment here."""

    code = "assignment.unknown"
    status = 404
    message = "没有找到这项交办。"


class AssignmentStateError(NodeError):
    """The assignment stands where this is not possible; where it stands is in the detail."""

    code = "assignment.state"
    status = 409
    message = "这项交办目前的状态不允许这项操作。"


class RatedError(NodeError):
    """The author rated this item before."""

    code = "item.rated"
    status = 409
    message = "这件信息已经评价过，每件只评价一次。"


class NothingToRateError(NodeError):
    """Nothing came of the item yet that could be rated."""

    code = "item.nothing_to_rate"
    status = 409
    message = "这件信息还没有办理结果，有了结果后再评价。"
