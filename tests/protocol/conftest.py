"""Settings of the protocol's tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine is slow, and that is no finding.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
