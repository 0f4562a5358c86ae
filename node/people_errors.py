"""The errors of accounts, people and units. What they are, `node/errors` says."""

from __future__ import annotations

from collections.abc import Sequence

from node.errors import InputError, NodeError


class NotLoggedInError(NodeError):
    """There is no valid session."""

    code = "session.required"
    status = 401
    message = "请先登录。"


class WrongPasswordError(NodeError):
    """The user name or the password is wrong."""

    code = "session.wrong_password"
    status = 401
    message = "用户名或密码不正确。"


class LockedOutError(NodeError):
    """Too many wrong passwords; nobody logs in under this name for a while."""

    code = "session.locked_out"
    status = 429
    message = "密码连续输错多次，已暂时锁定，请稍后再试。"


class NameTakenError(NodeError):
    """The user name, the employee number or the number of the certificate is taken."""

    code = "person.taken"
    status = 409
    message = "这个用户名、工号或聘书编号已经有人使用。"


class UnknownPersonError(NodeError):
    """There is no such person here."""

    code = "person.unknown"
    status = 404
    message = "没有找到这个用户。"


class OldPasswordError(NodeError):
    """The present password is wrong, or was changed meanwhile; nothing was changed."""

    code = "account.old_password"
    status = 422
    message = "原密码不正确，密码没有修改。"


class WeakPasswordError(InputError):
    """The password is too easily guessed."""

    code = "account.weak_password"
    message = "密码太容易被猜到：至少 10 个字符，不含用户名，不用常见密码，也不与原密码相同。"


class DifferentPasswordsError(InputError):
    """The new password was entered in two ways."""

    code = "account.passwords_differ"
    message = "两次输入的新密码不一样，密码没有修改。"


class PasswordChangeError(NodeError):
    """The password is a one-time one: change it first."""

    code = "account.change_password"
    status = 403
    message = "您用的是一次性密码，请先修改密码，再办理其他事项。"


class PersonChangedError(NodeError):
    """Somebody else changed this person's record meanwhile: look at it again, then decide."""

    code = "person.changed"
    status = 409
    message = "这个人的资料刚被别人修改过，您的修改没有保存。请查看最新内容后再改。"


class OneselfError(NodeError):
    """Nobody decides about himself: ask another security administrator."""

    code = "person.oneself"
    status = 409
    message = "不能办理自己的账号，请由另一位安全管理员办理。"


class PersonStateError(NodeError):
    """The person's record does not allow this."""

    code = "person.state"
    status = 409
    message = "这个人目前的情况不允许这项操作。"


class UnknownUnitError(NodeError):
    """There is no such unit here."""

    code = "unit.unknown"
    status = 404
    message = "没有找到这个单位。"


class UnitTakenError(NodeError):
    """There is another unit with this code."""

    code = "unit.taken"
    status = 409
    message = "这个单位代码已经使用。"


class UnitChangedError(NodeError):
    """Somebody else changed this unit meanwhile: look at it again, then decide."""

    code = "unit.changed"
    status = 409
    message = "这个单位的资料刚被别人修改过，您的修改没有保存。请查看最新内容后再改。"


class UnitStateError(NodeError):
    """The unit is closed, or still in use."""

    code = "unit.state"
    status = 409
    message = "这个单位已停用，或者还有成员或下属单位，不能这样办理。"


class SpreadsheetError(InputError):
    """The spreadsheet cannot be read; nothing was imported."""

    code = "import.file"
    message = "这个表格不能导入，没有导入任何内容。"


class SheetGoneError(NodeError):
    """The spreadsheet that was checked is not kept any more, or another one was checked since."""

    code = "import.gone"
    status = 409
    message = "检查过的表格只保留一小时，这一份已经不在，或者您又检查了别的表格。请重新选择文件。"


class MistakesError(NodeError):
    """Rows of the spreadsheet have mistakes; nothing was imported."""

    code = "import.mistakes"
    status = 422
    message = "表格里有错误，没有导入任何内容。请按列出的行和列改正后重新导入。"

    def __init__(self, detail: str | None = None, *, found: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.found = tuple(found)
        """Where, and what is wrong there."""
