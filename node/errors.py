"""The errors of a node: what a person or a neighbour asked for that cannot be done.

As in `protocol.errors`, each has a stable `code` and says whether it is `permanent`; `status` is
the HTTP status of its problem document. `message` is what the person reads, in Chinese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from protocol import errors as protocol
from protocol.errors import ZhitongError


@dataclass(frozen=True)
class Refused:
    """Whom an error kept from doing what: for the audit log."""

    username: str
    action: str
    came_from: str


class NodeError(ZhitongError):
    """The request cannot be carried out."""

    code = "node.error"
    status: ClassVar[int] = 400
    message: ClassVar[str] = "无法完成这项操作。"

    def __init__(self, detail: str | None = None, *, refused: Refused | None = None) -> None:
        super().__init__(detail)
        self.refused = refused
        """Set where the person lacks the right, also where he is not to know what is there."""


MESSAGES = {
    protocol.TokenError.code: "准入码不完整，或有字符输错，请重新核对。",
    protocol.RequestError.code: "这不是有效的准入申请。",
    protocol.WelcomeError.code: "这不是答复本机关申请的准入回文。",
    protocol.RootError.code: "回文的根证书与事先告知的不符，可能有人冒充上级机关，请立即核实。",
    protocol.LifecycleError.code: "这件信息目前的状态不允许这项操作。",
    protocol.ArchivedError.code: "这件信息已经归档，不能再改动。",
    protocol.ClassifiedError.code: (
        "涉密信息不得在本系统填报、传输和存储，系统没有保存您填写的内容。"
        "请按保密规定，通过机要渠道线下报送，并及时报告本单位保密工作机构。"
    ),
}
"""What people read of the protocol's own errors."""


def message_of(error: ZhitongError) -> str:
    """What the person reads, in Chinese."""
    if isinstance(error, NodeError):
        return error.message
    return MESSAGES.get(error.code, NodeError.message)


class ConfigurationError(NodeError):
    """The configuration is not usable."""

    code = "node.configuration"
    message = "配置有误。"


class KeyFileError(ConfigurationError):
    """A key file, or the file of its passphrase, is not usable."""

    code = "keys.file"
    message = "密钥文件不能使用。"


class KeyPassphraseError(ConfigurationError):
    """The passphrase of the keys is missing, too short, or does not open them."""

    code = "keys.passphrase"
    message = "密钥的口令不正确，或者没有提供口令。"


class InputError(NodeError):
    """What was entered does not fit."""

    code = "input.invalid"
    status = 422
    message = "填写的内容不符合要求，请按提示修改后再提交。"


class TooLongError(InputError):
    """The text is longer than the office allows."""

    code = "input.too_long"
    message = "标题或正文超过了规定的字数，请精简后再提交。"


class PhrasesError(NodeError):
    """The text holds phrases that secret documents carry; confirm that it is none, and repeat."""

    code = "item.phrases"
    status = 409
    message = (
        "文中有疑似涉密的字样，尚未提交。请核对：涉密内容一律不得上网，须走线下渠道；"
        "确认不涉密的，请确认后再次提交。"
    )

    def __init__(self, detail: str | None = None, *, found: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.found = tuple(found)
        """Where, and which phrase."""


class ForbiddenError(NodeError):
    """This role may not do that."""

    code = "access.forbidden"
    status = 403
    message = "您没有办理这项操作的权限。"


class UnknownItemError(NodeError):
    """There is no such item here."""

    code = "item.unknown"
    status = 404
    message = "没有找到这件信息。"


class PurgedItemError(NodeError):
    """The item's contents were purged; nothing can be done with it any more."""

    code = "item.purged"
    status = 409
    message = "这件信息的内容已清除，不能再办理。"


class UnknownOfficeError(NodeError):
    """The office is not known here."""

    code = "office.unknown"
    status = 404
    message = "没有找到这个政协机关。"


class NoOfficeAboveError(NodeError):
    """There is no office above this one."""

    code = "office.top"
    status = 409
    message = "本机关之上没有可以上报的政协机关。"


class NotWrittenHereError(NodeError):
    """The item was written at another office, which holds its evidence."""

    code = "evidence.elsewhere"
    status = 409
    message = "这件信息不是在本机关提交的，请到提交它的机关导出凭证。"


class NothingToProveError(NodeError):
    """Nothing was decided about the item and nothing was sent: there is nothing to prove yet."""

    code = "evidence.nothing"
    status = 409
    message = "这件信息还没有办理记录，没有可以证明的内容。"


class AlreadyForwardedError(NodeError):
    """This edition was forwarded before."""

    code = "item.forwarded"
    status = 409
    message = "这一稿已经上报过，无需重复上报。"


class ForwardedError(NodeError):
    """The office above has this item and has not given it back."""

    code = "item.above"
    status = 409
    message = "这件信息已经上报，上级没有退还，不能再与其他信息合并。"


class NotCombinedError(NodeError):
    """This item was not combined here out of others."""

    code = "item.not_combined"
    status = 409
    message = "这件信息不是本机关合并编写的，不能撤销合并。"


class MessageTooLargeError(NodeError):
    """With the messages by which it climbed, the item is larger than a neighbour could carry on."""

    code = "message.too_large"
    status = 413
    message = "这件信息连同各级报送凭证太大，无法继续上报；请精简正文、减少附件后再报。"


class UnknownQuarantinedError(NodeError):
    """There is no such message in quarantine."""

    code = "quarantine.unknown"
    status = 404
    message = "隔离区里没有这份消息。"


class QuarantineDecidedError(NodeError):
    """The message was decided on before, or its bytes are not whole; have it sent again."""

    code = "quarantine.decided"
    status = 409
    message = "这份消息已作废、已重新收取或原文不全，不能再这样办理；需要时请对方重发。"


class LinkPausedError(NodeError):
    """The link is paused; resume it first."""

    code = "link.paused"
    status = 409
    message = "与该机关的收发已暂停，请先恢复。"


class LinkLevelError(NodeError):
    """The item's classification is above what this link may carry; hand it over by another way."""

    code = "link.level"
    status = 409
    message = "这件信息的公开范围超出这条线路可传的范围，不能经此报送，请改走其他渠道。"


class FileRefusedError(NodeError):
    """The file does not carry messages for this office."""

    code = "file.refused"
    status = 422
    message = "这个文件不能导入。"


class ItemTakenError(NodeError):
    """An item with this id came from another office."""

    code = "item.taken"
    status = 409


class FactConflictError(NodeError):
    """The office stated another fact with this sequence before."""

    code = "fact.conflict"
    status = 409


class UnknownFileError(NodeError):
    """There is no such file for this person."""

    code = "file.unknown"
    status = 404
    message = "没有找到这个附件，请重新上传。"


class FileTooLargeError(NodeError):
    """The file, or all files of the item together, are larger than the office allows."""

    code = "file.too_large"
    status = 413
    message = "附件超过了规定的大小。"


class FileKindError(NodeError):
    """The office does not take this kind of file, or its content is not what its name says."""

    code = "file.kind"
    status = 415
    message = "不接收这种附件，或者附件内容与文件名不符。"


class FileArrivingError(NodeError):
    """The file is not whole here yet."""

    code = "file.arriving"
    status = 409
    permanent = False
    message = "附件还在传送途中，请稍后再下载。"


class DamagedFileError(NodeError):
    """A file is not what its digest says."""

    code = "file.damaged"
    status = 500
    message = "附件内容已损坏，请与管理员联系。"


class ShelfError(NodeError):
    """The folder of files cannot be read or written."""

    code = "storage.files"
    status = 503
    permanent = False
    message = "附件暂时无法存取，请稍后再试，或与管理员联系。"


class CertificateRequestError(NodeError):
    """The request for a certificate cannot be read, or its key did not sign it."""

    code = "certificate.request"


class CertificateNameError(NodeError):
    """The request is for another office than the one that sent it."""

    code = "certificate.name"


class CertificateIssuingError(NodeError):
    """The issuing certificate is not on the key that this office certified."""

    code = "certificate.issuing"


class CertificateUnaskedError(NodeError):
    """This office did not ask for a certificate on this key."""

    code = "certificate.unasked"


class CertificatePathError(NodeError):
    """The certificates lead to another place in the hierarchy than this office's."""

    code = "certificate.path"


class StandingError(NodeError):
    """The office's present standing does not allow this; what was revoked stays revoked."""

    code = "office.standing"
    status = 409
    message = "该机关目前的状态不允许这项操作；证书吊销后不能恢复，需重新办理准入。"


class UnknownCertificateRequestError(NodeError):
    """There is no such request that waits for a decision."""

    code = "certificate.unknown"
    status = 404
    message = "没有找到这份等待审批的证书申请。"


class UnsupportedTypeError(NodeError):
    """This version of the node does not handle the message's type yet; send it again later."""

    code = "message.unsupported"
    permanent = False


class DatabaseAwayError(NodeError):
    """The database does not answer."""

    code = "storage.away"
    status = 503
    permanent = False
    message = "数据库暂时无法连接，请稍后再试。"


class RecoveringError(NodeError):
    """The node was restored from a backup and waits for what its neighbours hold of it."""

    code = "node.recovering"
    status = 503
    permanent = False
    message = (
        "本机关的系统刚从备份恢复，正在向上下级取回备份之后的往来信息，暂不能办理，请稍后再试。"
    )


class SupersededError(NodeError):
    """Another copy of this node, restored later, goes on in its place."""

    code = "node.superseded"
    status = 503
    message = "本机关的系统已在另一台机器上恢复运行，这里只能查看，不能办理。请联系系统管理员。"


class BackupError(NodeError):
    """The backup cannot be made, read, or restored here."""

    code = "backup.unusable"
    message = "备份无法使用。"


class PassphraseError(NodeError):
    """The passphrase is missing, too short, or wrong."""

    code = "backup.passphrase"
    message = "口令不正确。"
