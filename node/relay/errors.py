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


class PoisonError(ZhitongError):
    """Taking the message in failed in a way that nobody foresaw; an operator must look."""

    code = "message.poison"
    permanent = False
