"""The errors of the protocol: what was wrong with bytes that claimed to be a message.

Every error carries a stable `code` (it goes into receipts, quarantine rows and problem
documents) and says whether it is `permanent`: a temporary refusal may succeed when the same
message is sent again, a permanent one never will. The first line of the docstring is the
default text.
"""

from __future__ import annotations

import inspect
from typing import ClassVar, NamedTuple
from uuid import UUID


class ZhitongError(Exception):
    """Something went wrong in Zhitong."""

    code: ClassVar[str] = "zhitong.error"
    permanent: ClassVar[bool] = True

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail or inspect.getdoc(type(self)) or type(self).__name__)

    @property
    def detail(self) -> str:
        """What happened, in one sentence."""
        return str(self)


class ProtocolError(ZhitongError):
    """A message breaks the protocol."""

    code = "protocol.error"


class EnvelopeError(ProtocolError):
    """A message was not accepted."""

    code = "envelope.error"


class TooLargeError(EnvelopeError):
    """The token is larger than the protocol allows."""

    code = "envelope.too_large"


class MalformedError(EnvelopeError):
    """The body is not a JWS compact token in its one canonical spelling."""

    code = "envelope.malformed"


class HeaderError(EnvelopeError):
    """The token's header does not have exactly the members that the protocol names."""

    code = "envelope.header"


class CertificateError(EnvelopeError):
    """A certificate in the token does not have the form that the protocol demands."""

    code = "envelope.certificate"


class ChainError(EnvelopeError):
    """The certificates do not lead to a root that this office trusts."""

    code = "envelope.chain"


class PathError(EnvelopeError):
    """An office stands twice in the certificates: one below it certifies in its name."""

    code = "envelope.path"


class ExpiredError(EnvelopeError):
    """The certificates were not valid at the time of signing."""

    code = "envelope.expired"


class AlgorithmError(EnvelopeError):
    """The algorithm does not fit the certificate's key."""

    code = "envelope.algorithm"


class SignatureError(EnvelopeError):
    """The signature does not fit the token."""

    code = "envelope.signature"


class ClockError(EnvelopeError):
    """The time of signing is too far from now; sign the message again."""

    code = "envelope.time"
    permanent = False


class PurgedError(EnvelopeError):
    """The contents were purged: header, signature and digest are left, and prove no content."""

    code = "envelope.purged"


class StrangerError(EnvelopeError):
    """The signer is neither the office above nor an office certified by this one."""

    code = "envelope.stranger"


class PayloadError(EnvelopeError):
    """The signed content is not a CloudEvents 1.0 event in strict JSON."""

    code = "envelope.payload"


class SourceError(EnvelopeError):
    """The event's source is not the office that signed it."""

    code = "envelope.source"


class RecipientError(EnvelopeError):
    """The event is addressed to another office."""

    code = "envelope.recipient"


class TypeUnknownError(EnvelopeError):
    """The event's type, or its major version, is not known here; send it again after an upgrade."""

    code = "envelope.type"
    permanent = False


class DirectionError(EnvelopeError):
    """A message of this type may not travel in this direction."""

    code = "envelope.direction"


class RevokedError(EnvelopeError):
    """A certificate of the signer was revoked."""

    code = "envelope.revoked"


class SuspendedError(EnvelopeError):
    """A certificate of the signer is suspended; once that is lifted, the message counts."""

    code = "envelope.suspended"
    permanent = False


class DataError(EnvelopeError):
    """The event's data does not fit its type."""

    code = "envelope.data"


class Named(NamedTuple):
    """What a receipt needs to know of a message that nobody may keep."""

    sender: str
    id: UUID
    digest: str


class ClassifiedError(ProtocolError):
    """Nothing above `internal` may travel on this network; hand it over by the offline procedure.

    Whoever refuses a message for this keeps its digest and not its bytes. `message` names it, where
    it came on a link and its signature was verified.
    """

    code = "item.classified"

    def __init__(self, detail: str | None = None, *, message: Named | None = None) -> None:
        super().__init__(detail or (inspect.getdoc(type(self)) or "").splitlines()[0])
        self.message = message


class EvidenceError(ProtocolError):
    """A message carried inside another one does not prove what it is carried for."""

    code = "evidence.refused"


class NotMergedError(EvidenceError):
    """It is about a combined item of which nobody has said yet that this item is part of it."""

    code = "evidence.unmerged"
    permanent = False


class RevocationListError(ProtocolError):
    """The revocation list is not signed by an issuing key whose word counts here."""

    code = "revocations.refused"


class IssuersError(ProtocolError):
    """What is said of new issuers above this office is not proven by the key that certified it."""

    code = "issuers.refused"


class BundleError(ProtocolError):
    """The file is no evidence about an item in the format that is known here."""

    code = "evidence.bundle"


class EnrolmentError(ProtocolError):
    """An office cannot come below another one like this."""

    code = "enrolment.error"


class TokenError(EnrolmentError):
    """The token is not whole, or mistyped; have it read out again."""

    code = "enrolment.token_form"


class RequestError(EnrolmentError):
    """This is no request of an office, or its keys did not sign it."""

    code = "enrolment.request"


class WelcomeError(EnrolmentError):
    """This is no welcome from the office above that answers this office's request."""

    code = "enrolment.welcome"


class RootError(EnrolmentError):
    """The welcome leads to another root than was named: somebody stands between the two offices."""

    code = "enrolment.root"


class LifecycleError(ProtocolError):
    """The action is not possible in the item's present state."""

    code = "item.state"


class ArchivedError(LifecycleError):
    """The item is archived: nothing is changed any more."""

    code = "item.archived"
