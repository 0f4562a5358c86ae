"""The passphrase of the key files. The first source that has one is taken:

 1. the systemd credential `zhitong-passphrase`, which the unit of the relay alone is given;
 2. the file that the configuration names: `passphrase_file` in `[keys]`;
 3. the environment variable `ZHITONG_KEYS__PASSPHRASE`.

Where there is a source, keys are written encrypted. The pages need none: they read no key.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from node.errors import KeyPassphraseError
from node.keys.file import demand_private

CREDENTIAL = "zhitong-passphrase"
VARIABLE = "ZHITONG_KEYS__PASSPHRASE"
SHORTEST = 12


def find(file: Path | None, environment: Mapping[str, str]) -> bytes | None:
    """The passphrase; None where no source is set up.

    Raises `KeyPassphraseError` for one that is short or cannot be read, and `KeyFileError` for a
    file that others can read.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    # 1. systemd's folder is closed to others, but its access list looks like a group's right.
    if folder is not None and (credential := Path(folder) / CREDENTIAL).exists():
        return _long_enough(_read(credential), str(credential))
    # 2.
    if file is not None:
        demand_private(file)
        return _long_enough(_read(file), str(file))
    # 3.
    if VARIABLE in environment:
        return _long_enough(environment[VARIABLE].encode(), VARIABLE)
    return None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise KeyPassphraseError(
            f"cannot read the passphrase file {file}: {error.strerror}"
        ) from error


def _long_enough(passphrase: bytes, source: str) -> bytes:
    if len(passphrase) < SHORTEST:
        raise KeyPassphraseError(
            f"the passphrase in {source} has fewer than {SHORTEST} bytes: make one with "
            "openssl rand -hex 32"
        )
    return passphrase
