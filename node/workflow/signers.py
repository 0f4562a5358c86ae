"""The certificate in a token that was verified when it arrived."""

from __future__ import annotations

import base64
import json
from typing import Any

from cryptography import x509


def certificate_of(token: bytes) -> x509.Certificate:
    """The certificate of the token's signer. The token was verified on arrival."""
    head = token.split(b".")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(head + b"=" * (-len(head) % 4)))
    return x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
