"""For how long certificates are issued."""

from __future__ import annotations

from datetime import datetime

from cryptography import x509

from protocol.certificates import Term

ROOT_DAYS = 3650
ISSUING_DAYS = 1825
NODE_DAYS = 730
OWN_BROKER_DAYS = 3
"""Of what a hub issues to itself for dialling its own broker, anew each day, and never stores."""


def term(now: datetime, days: int) -> Term:
    """A term from now on, with a serial number of its own."""
    return Term(now, days, x509.random_serial_number())
