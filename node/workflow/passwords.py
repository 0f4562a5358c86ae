"""Passwords: which are good enough, and how they are kept (argon2id)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from node.people_errors import WeakPasswordError

SHORTEST = 10
LONGEST = 200
FEWEST_SIGNS = 4

_COMMON = """
    0123456789 1234567890 12345678910 123456789a a123456789 1234567890a 0987654321 9876543210
    1qaz2wsx3edc qwertyuiop qwerty1234 qwerty12345 qazwsxedcrfv 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4t5
    password12 password123 password1234 passw0rd123 p@ssw0rd123 admin12345 admin123456
    administrator administrator1 root123456 abcd1234567 abc1234567 abc123456789 aa12345678
    aaa123456789 woaini1314520 woaini5201314 5201314520 1314520520 iloveyou1314 iloveyou520
    zhengxie123 zhengxie1234 zhengxie2026 zhengxie123456 zhitong123 zhitong1234 zhitong123456
    changeme123 letmein1234 welcome123 welcome1234
"""
COMMON = frozenset(_COMMON.split())
"""What is tried first, of those that are long enough."""

_hasher = PasswordHasher()
_NOBODY = (
    "$argon2id$v=19$m=65536,t=3,p=4$PVvWqZUjJBXaLeFY7LQrEQ"
    "$Z5CgKjB2I3IrwrSOGQUkocbs2mQuWeWlGxHNnPHLiGQ"
)
"""The hash of nobody's password, to compare with where there is none."""


def demand_good(password: str, username: str) -> None:
    """Raises `WeakPasswordError`, which says what the password lacks and does not repeat it."""
    if len(password) < SHORTEST:
        raise WeakPasswordError(f"a password needs at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise WeakPasswordError(f"a password has at most {LONGEST} characters")
    plain = password.casefold()
    if len(username) > 2 and username.casefold() in plain:
        raise WeakPasswordError("a password must not hold the user name")
    if len(set(plain)) < FEWEST_SIGNS:
        raise WeakPasswordError(f"a password needs at least {FEWEST_SIGNS} different characters")
    if plain in COMMON:
        raise WeakPasswordError("this password is one of the first that anybody tries")


def hash_password(password: str) -> str:
    """The password's argon2id hash. Slow by design: about 50 ms."""
    return _hasher.hash(password)


def fits(hashed: str | None, password: str) -> bool:
    """Whether it is the password. Takes as long where there is none."""
    try:
        _hasher.verify(hashed or _NOBODY, password)
    except (Argon2Error, InvalidHashError):
        return False
    return hashed is not None
