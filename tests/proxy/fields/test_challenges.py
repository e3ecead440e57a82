"""Which values of Authorization and WWW-Authenticate log in a connection, and what is left of them without that."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corsproxy.proxy.fields.challenges import login_scheme, without_logins

ROWS = [
    (b"NTLM", b"NTLM", b""),
    (b"ntlm TlRMTVNTUAAB", b"ntlm", b""),
    (b"Negotiate YII=", b"Negotiate", b""),
    (b"Nego2", b"Nego2", b""),
    (b"NEGOTIATE, nTLM", b"NEGOTIATE", b""),
    (b"Negotiate, NTLM, Basic realm=x", b"Negotiate", b"Basic realm=x"),
    (b'Basic realm="x", NTLM', b"NTLM", b'Basic realm="x"'),
    (b'Digest realm="a, NTLM", nonce="b\\"", qop="auth,auth-int", Negotiate', b"Negotiate",
     b'Digest realm="a, NTLM", nonce="b\\"", qop="auth,auth-int"'),
    (b', ,\tNTLM , Basic realm = "x"', b"NTLM", b'Basic realm = "x"'),
    (b"Basic realm=x, Negotiate abc==, Bearer", b"Negotiate", b"Basic realm=x, Bearer"),
    (b'Basic realm="never closed, NTLM', b"NTLM", b""),
]  # fmt: skip


@pytest.mark.parametrize(("value", "scheme", "rest"), ROWS)
def test_logins_that_belong_to_the_connection(value: bytes, scheme: bytes, rest: bytes) -> None:
    """The scheme is found in any letter case and place; the other challenges stay as they are written."""
    assert login_scheme(value) == scheme
    assert without_logins(value) == rest


@pytest.mark.parametrize(
    "value",
    [b"", b"Basic dTpw", b"Bearer ntlm", b'Basic realm="NTLM"', b'Digest username="a, Negotiate", x=y', b"NTLMv2 x",
     b"Kerberos x", b"X-NTLM", b'Basic realm="a", charset="Negotiate"'],
)  # fmt: skip
def test_other_logins(value: bytes) -> None:
    """Names inside of values, and names that only begin so, are other logins."""
    assert login_scheme(value) is None


@given(st.lists(st.sampled_from([b"NTLM", b"negotiate x=", b"Basic realm=", b'"', b",", b" ", b"\\", b"a=b", b"\t"])))
def test_no_login_is_ever_left(parts: list[bytes]) -> None:
    """Whatever is written, what is passed on names no such login."""
    value = b"".join(parts)
    if login_scheme(value) is not None:
        assert login_scheme(without_logins(value)) is None
