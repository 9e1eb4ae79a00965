"""What stands in Authorization: Basic credentials (RFC 7617 §2)."""

from __future__ import annotations

import base64
import binascii
from typing import Protocol

from wptproto.errors import HTTPException

__all__ = ["Authentication"]


class _Headers(Protocol):
    def get(self, name: str, /) -> bytes | None:
        """Return a field's value, or None."""


class Authentication:
    """
    The credentials of a request.

    Attributes:
        username: None where the client sent no Authorization.
        password: Likewise; everything behind the first colon.
    """

    def __init__(self, headers: _Headers) -> None:
        """
        Raises:
            HTTPException: 400; the client uses another scheme than Basic, or it sent no credentials.
        """
        self.username: bytes | None = None
        self.password: bytes | None = None
        value = headers.get("authorization")
        if value is not None:
            self.username, self.password = _parse(value)

    def __repr__(self) -> str:
        return f"<Authentication {self.username!r}>"


def _parse(value: bytes) -> tuple[bytes, bytes]:
    scheme, _, credentials = value.partition(b" ")
    # RFC 9110 §11.1: "It uses a case-insensitive token to identify the authentication scheme".
    if scheme.lower() != b"basic":
        raise HTTPException(400, f"Unsupported authentication scheme {scheme!r}")
    try:
        # Octets that are not of the alphabet are passed over, as wptserve does.
        decoded = base64.b64decode(credentials)
    except binascii.Error as error:
        raise HTTPException(400, f"the credentials in Authorization are no base64: {error}") from error
    username, colon, password = decoded.partition(b":")
    if not colon:
        raise HTTPException(400, "the credentials in Authorization have no colon behind the user's name")
    return username, password
