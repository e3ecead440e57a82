"""The validity period of a certificate, which the `ssl` module offers only for a peer's.

It is read from the DER encoding (RFC 5280 section 4.1) of a certificate that OpenSSL has accepted; nothing is checked
again.
"""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime

_CERTIFICATE = re.compile("-----BEGIN [A-Z0-9 ]*CERTIFICATE-----(?P<base64>.*?)-----END ", re.DOTALL)
_VERSION = 0xA0
"""The tag of the version, which a certificate of version 1 lacks."""
_UTC_TIME = 0x17
"""The tag of a time whose year has two digits."""


def expiry(file: str) -> float | None:
    """Return when the first certificate of a PEM file expires, in epoch seconds; None if it cannot be read."""
    try:
        with open(file, encoding="latin-1") as opened:
            return validity(opened.read())[1].timestamp()
    except (OSError, ValueError, IndexError):
        return None


def validity(pem: str) -> tuple[datetime, datetime]:
    """Return when the first certificate of a PEM text becomes valid and when it expires.

    Raises ValueError or IndexError if there is none, or it cannot be read.
    """
    found = _CERTIFICATE.search(pem)
    if found is None:
        raise ValueError("no certificate")
    der = base64.b64decode(found["base64"])
    at, _ = _value(der, _value(der, 0)[0])  # of Certificate, and of TBSCertificate in it
    skipped = ("version", "serialNumber", "signature", "issuer")
    for _name in skipped if der[at] == _VERSION else skipped[1:]:
        _, at = _value(der, at)
    not_before, _ = _value(der, at)
    _, not_after = _value(der, not_before)
    return _time(der, not_before), _time(der, not_after)


def _value(der: bytes, at: int) -> tuple[int, int]:
    """Return the start and end of the value of the element at `at` (X.690 section 8.1)."""
    length, begin = der[at + 1], at + 2
    if length > 0x80:  # the length has as many bytes of its own
        begin += length - 0x80
        length = int.from_bytes(der[at + 2 : begin])
    return begin, begin + length


def _time(der: bytes, at: int) -> datetime:
    begin, end = _value(der, at)
    form = "%y%m%d%H%M%SZ" if der[at] == _UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(der[begin:end].decode("ascii"), form).replace(tzinfo=UTC)
