"""That a person fills in the public form: without pictures, and with or without a script. Pure.

A form carries a token: a nonce, when it was shown, and a signature over both. Whoever sends it
shows one of two things: the answer to a question in plain words that follows from the nonce, or a
number for which the digest of token and number begins with many zeros, which a browser looks for
while the form is filled in. `demand`, in this order:

 1. The token is ours.
 2. It is not too old.
 3. It is old enough for a person to have filled in the form.
 4. The answer is right, or the work was done.

That a token is used once is up to the caller.
"""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from node.public_errors import ChallengeError, ChallengeExpiredError, TooQuickError

QUICKEST = timedelta(seconds=5)
LONGEST = timedelta(hours=2)
BITS = 17
"""Some hundred thousand digests: a second or two for a telephone."""

DIGITS = "零一二三四五六七八九十"
MOST_WORK = 2**53


@dataclass(frozen=True)
class Challenge:
    """What a form is shown with. The question is: how much is `left` plus, or times, `right`?"""

    token: str
    left: int
    right: int
    times: bool

    @property
    def words(self) -> tuple[str, str]:
        """Both numbers in Chinese, as a screen reader says them."""
        return DIGITS[self.left], DIGITS[self.right]

    @property
    def question(self) -> str:
        """In plain words."""
        left, right = self.words
        return f"{left}{'乘' if self.times else '加'}{right}等于多少？请填数字"


@dataclass(frozen=True)
class Shown:
    """A token that was accepted, and until when it has to be remembered."""

    nonce: str
    expires_at: datetime


def make(secret: bytes, nonce: bytes, now: datetime) -> Challenge:
    """A new one, with 16 random bytes."""
    issued = int(now.timestamp())
    token = f"{nonce.hex()}.{issued}.{_signature(secret, nonce.hex(), issued)}"
    return Challenge(token, *_question(secret, nonce.hex()))


def again(secret: bytes, token: str) -> Challenge:
    """The same one for a form that is shown again. Raises `ChallengeError`."""
    nonce, _ = _opened(secret, token)
    return Challenge(token, *_question(secret, nonce))


def demand(
    secret: bytes, token: str, *, answer: str | None, work: int | None, now: datetime
) -> Shown:
    """Raises `ChallengeError`, `ChallengeExpiredError`, `TooQuickError`."""
    # 1.
    nonce, issued = _opened(secret, token)
    shown_at = datetime.fromtimestamp(issued, UTC)
    # 2.
    if now - shown_at > LONGEST:
        raise ChallengeExpiredError
    # 3.
    if now - shown_at < QUICKEST:
        raise TooQuickError
    # 4.
    left, right, times = _question(secret, nonce)
    wanted = left * right if times else left + right
    if _number(answer) != wanted and not is_work(token, work):
        raise ChallengeError
    return Shown(nonce, shown_at + LONGEST)


def is_work(token: str, work: int | None) -> bool:
    """Whether the digest begins with enough zeros."""
    if work is None:
        return False
    digest = sha256(f"{token}:{work}".encode()).digest()
    return int.from_bytes(digest) >> (256 - BITS) == 0


def _opened(secret: bytes, token: str) -> tuple[str, int]:
    nonce, _, rest = token.partition(".")
    issued, _, signature = rest.partition(".")
    ours = issued.isascii() and issued.isdigit() and len(issued) <= 12
    if not ours or not hmac.compare_digest(
        _signature(secret, nonce, int(issued)).encode(), signature.encode()
    ):
        raise ChallengeError
    return nonce, int(issued)


def _signature(secret: bytes, nonce: str, issued: int) -> str:
    return hmac.new(secret, f"form {nonce} {issued}".encode(), sha256).hexdigest()


def _question(secret: bytes, nonce: str) -> tuple[int, int, bool]:
    drawn = hmac.new(secret, f"question {nonce}".encode(), sha256).digest()
    return 2 + drawn[0] % 8, 2 + drawn[1] % 8, drawn[2] % 2 == 1


def _number(answer: str | None) -> int | None:
    """A number in digits of either width, or in Chinese as far as they are needed here."""
    text = unicodedata.normalize("NFKC", answer or "").strip()
    if text.isascii() and text.isdigit() and len(text) <= 3:
        return int(text)
    tens, ten, ones = text.partition("十")
    if not text or any(len(part) > 1 or part not in DIGITS for part in (tens, ones)):
        return None
    if not ten:
        return DIGITS.index(tens)
    return (DIGITS.index(tens) if tens else 1) * 10 + (DIGITS.index(ones) if ones else 0)
