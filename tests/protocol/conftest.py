"""Settings of the protocol's tests, and the programs that some of them need."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from tests.protocol import programs

# A busy machine is slow, and that is no finding.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def jose() -> Path:
    """A folder in which a script can import jose."""
    return programs.jose()


@pytest.fixture
def openssl() -> str:
    """Where openssl is."""
    return programs.openssl()
