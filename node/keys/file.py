"""Keys at rest: reading and writing PEM files. What the keys mean is decided in `protocol`.

Private keys are written readable by their owner alone, encrypted where there is a passphrase
(`sealed`), and refused where others can read them. They are read by the relay and by the command
line; pages never hold one. A file that is replaced is whole, old or new, at every moment.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from node.errors import ConfigurationError, KeyFileError, KeyPassphraseError
from node.keys import sealed

_ENCRYPTED = b"ENCRYPTED PRIVATE KEY"
OTHERS = 0o077
LINE = 64


def new_private_key() -> ec.EllipticCurvePrivateKey:
    """A new key on P-256, from the operating system's randomness."""
    return ec.generate_private_key(ec.SECP256R1())


def write_private_key(
    path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes | None
) -> None:
    """Write the key (PEM, PKCS #8), mode 0600. Refuses to replace one: `FileExistsError`."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_pem(key, passphrase))
        file.flush()
        os.fsync(file.fileno())
    _keep_names(path.parent)


def replace_private_key(
    path: Path, key: ec.EllipticCurvePrivateKey, passphrase: bytes | None
) -> None:
    """Write the key, mode 0600, in place of what is there."""
    replace(path, _pem(key, passphrase))


def rewrite_private_key(path: Path, old: bytes | None, new: bytes | None) -> None:
    """Put the key in the file under another passphrase, or none. Raises `ConfigurationError`."""
    replace_private_key(path, read_private_key(path, old), new)


def read_private_key(path: Path, passphrase: bytes | None) -> ec.EllipticCurvePrivateKey:
    """Read a key. Raises `KeyFileError`, or `KeyPassphraseError` where it fits not or lacks."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read the private key {path}: {error.strerror}") from error
    demand_private(path)
    encrypted = _ENCRYPTED in content
    if encrypted and passphrase is None:
        raise KeyPassphraseError(
            f"{path} is encrypted and no passphrase was given: see passphrase_file in [keys]"
        )
    try:
        key = load_pem_private_key(content, password=passphrase if encrypted else None)
    except (ValueError, TypeError) as error:
        if encrypted:
            raise KeyPassphraseError(
                f"the passphrase does not open {path}, or the file is damaged"
            ) from error
        raise KeyFileError(f"cannot read the private key {path}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFileError(f"{path} does not hold an elliptic-curve key")
    return key


def is_encrypted(path: Path) -> bool:
    """Whether the key file needs a passphrase. Raises `KeyFileError`."""
    try:
        return _ENCRYPTED in path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from error


def demand_private(path: Path) -> None:
    """Raises `KeyFileError` for a file that others than its owner can read or change."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from error
    if mode & OTHERS:
        raise KeyFileError(
            f"{path} can be read or changed by others (mode {mode & 0o777:o}): chmod 600 {path}"
        )


def write_certificates(path: Path, certificates: list[x509.Certificate]) -> None:
    """Write certificates (PEM), the leaf first, in place of what is there."""
    replace(path, b"".join(c.public_bytes(Encoding.PEM) for c in certificates))


def read_certificates(path: Path) -> list[x509.Certificate]:
    """Read certificates, the leaf first. Raises `ConfigurationError`."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the certificates {path}: {error}") from error


def replace(path: Path, content: bytes) -> None:
    """Write the file in place of what is there, mode 0600: old or new, and never a part of it."""
    partial = path.with_name(path.name + ".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    move(partial, path)


def move(path: Path, to: Path) -> None:
    """Rename the file over another one, and have the disk know."""
    path.replace(to)
    _keep_names(to.parent)


def _keep_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None) -> bytes:
    if passphrase is None:
        return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    der = sealed.seal(key, passphrase, os.urandom(sealed.RANDOM_BYTES))
    text = base64.b64encode(der)
    lines = [text[start : start + LINE] for start in range(0, len(text), LINE)]
    return b"\n".join(
        [b"-----BEGIN " + _ENCRYPTED + b"-----", *lines, b"-----END " + _ENCRYPTED + b"-----", b""]
    )
