"""Basic credentials, and what else stands in Authorization."""

from __future__ import annotations

import pytest

from wptproto import HTTPException
from wptproto.semantics.authentication import Authentication


def credentials(value: bytes) -> tuple[bytes | None, bytes | None]:
    found = Authentication({"authorization": value})
    return found.username, found.password


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Basic dTpw", (b"u", b"p")),
        (b"basic dTpw", (b"u", b"p")),
        (b"BASIC   dTpw", (b"u", b"p")),
        (b"Basic dTpwOng=", (b"u", b"p:x")),
        (b"Basic Og==", (b"", b"")),
        (b"Basic /zr+", (b"\xff", b"\xfe")),
        (b"Basic !!dT pw", (b"u", b"p")),
    ],
)
def test_basic(value: bytes, expected: tuple[bytes, bytes]) -> None:
    """User and password are octets; the first colon parts them (RFC 7617 §2)."""
    assert credentials(value) == expected


def test_no_credentials() -> None:
    """Without Authorization there is neither user nor password."""
    found = Authentication({})
    assert (found.username, found.password) == (None, None)


@pytest.mark.parametrize(
    ("value", "why"),
    [
        (b"Bearer x", "Unsupported authentication scheme b'Bearer'"),
        (b"", "Unsupported authentication scheme b''"),
        (b"Basic", "have no colon"),
        (b"Basic dQ==", "have no colon"),
        (b"Basic d", "are no base64"),
        (b"Basic dTp", "are no base64"),
    ],
)
def test_what_is_no_basic_credentials(value: bytes, why: str) -> None:
    """Other schemes and nonsense are the client's error, and the message says which."""
    with pytest.raises(HTTPException) as caught:
        credentials(value)
    assert caught.value.code == 400
    assert why in caught.value.message


def test_repr_keeps_the_password() -> None:
    """A representation shows the user alone."""
    assert repr(Authentication({"authorization": b"Basic dTpw"})) == "<Authentication b'u'>"
