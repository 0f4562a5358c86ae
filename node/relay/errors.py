"""What only the relay refuses, since it needs a memory or the unsigned properties."""

from __future__ import annotations

from protocol.errors import ZhitongError


class PropertiesError(ZhitongError):
    """The unsigned AMQP properties disagree with the signed content; send the message again."""

    code = "message.properties"
    permanent = False


class AlteredError(ZhitongError):
    """A message with this id came before with other content."""

    code = "message.altered"


class IncarnationError(ZhitongError):
    """The sender speaks as an incarnation that was replaced."""

    code = "message.incarnation"
    permanent = False


class StaleListError(ZhitongError):
    """The revocation list of an office above the sender is long overdue here; send it later."""

    code = "revocations.stale"
    permanent = False


class ReceiptError(ZhitongError):
    """A receipt confirms what was sent to another office, or other bytes than were sent."""

    code = "receipt.mismatch"


class PoisonError(ZhitongError):
    """Taking the message in failed in a way that nobody foresaw; an operator must look."""

    code = "message.poison"
    permanent = False


class PieceError(ZhitongError):
    """A piece of a file is not what was announced; it is asked for again."""

    code = "blob.piece"
    permanent = False


class NotOfferedError(ZhitongError):
    """The piece that was asked for belongs to no file that this neighbour was told of."""

    code = "blob.not_offered"


class BrokerAccountError(ZhitongError):
    """The broker's account of this name is not, or not only, an office's that dials up here."""

    code = "broker.account"


class BrokerManagementError(ZhitongError):
    """The broker's management API did not do what it was asked; see `[hub] management`."""

    code = "broker.management"
    permanent = False
