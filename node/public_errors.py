"""The errors of what citizens hand in without an account. What they are, `node/errors` says."""

from __future__ import annotations

from node.errors import NodeError


class PublicClosedError(NodeError):
    """The office takes nothing in from citizens over the web."""

    code = "public.closed"
    status = 404
    message = "本机关没有开通网上反映，请通过来信、来访或热线反映。"


class ChallengeError(NodeError):
    """Neither the question was answered nor the work done."""

    code = "public.challenge"
    status = 422
    message = "验证没有通过，请回答新的问题后再提交。您填写的内容还在。"


class ChallengeExpiredError(NodeError):
    """The form was opened too long ago."""

    code = "public.challenge_expired"
    status = 422
    message = "这一页打开得太久了，请回答新的问题后再提交。您填写的内容还在。"


class ChallengeUsedError(NodeError):
    """With this form something was handed in already."""

    code = "public.challenge_used"
    status = 409
    message = "这份表单已经提交过，没有重复收下。要再反映一件事，请重新打开页面。"


class TooQuickError(NodeError):
    """The form was sent sooner than a person can fill it in."""

    code = "public.too_quick"
    status = 422
    message = "提交得太快了，请核对内容，过几秒再提交。"


class ConsentError(NodeError):
    """Whoever hands something in did not agree to the handling of personal data."""

    code = "public.consent"
    status = 422
    message = "请先阅读个人信息处理说明，并勾选同意。"


class TooManyError(NodeError):
    """More than the office takes in, or guesses at receipts; `retry_after` says for how long."""

    code = "public.too_many"
    status = 429
    permanent = False
    message = "提交或查询太频繁，请稍后再试。急事请打电话或者来信来访。"

    def __init__(self, detail: str | None = None, *, retry_after: int = 900) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """In seconds."""


class UnknownReceiptError(NodeError):
    """There is no receipt with this code."""

    code = "public.receipt"
    status = 404
    message = "没有找到这个查询码，请核对后重新输入。"


class UnknownContactError(NodeError):
    """The item was not handed in by a citizen over the web."""

    code = "public.contact"
    status = 404
    message = "这件信息没有网上反映人的联系方式。"


class PublicSettingsChangedError(NodeError):
    """Somebody else set the public form meanwhile."""

    code = "public.settings_changed"
    status = 409
    message = "设置刚由他人改过，您的修改没有保存。请查看最新设置后再改。"
