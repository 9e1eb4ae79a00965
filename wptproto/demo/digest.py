"""
Digest credentials: the challenge, and whether what a client sends answers it (RFC 7616).

Nothing is kept between requests. A nonce is the moment when it was made, some octets by chance, and what
only this program can have made of the two; so it can be known again, also by another process of the same
server, and its age told. How often it was used, the client says, in nc.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from wptproto.demo.redirecting import REALM
from wptproto.exchange.request import Request

__all__ = ["ALGORITHMS", "QOPS", "Refused", "Terms", "challenge", "check"]

QOPS = ("auth", "auth-int")
ALGORITHMS = {
    f"{name}{suffix}": hashed
    for name, hashed in (("MD5", "md5"), ("SHA-256", "sha256"), ("SHA-512", "sha512"))
    for suffix in ("", "-sess")
}
"""What hashlib calls them, by their names (RFC 7616 §6.1); with -sess the nonces are in A1, too (§3.4.2)."""

NONCE_AGE_S = 300

_KEY = secrets.token_bytes(32)
_OPAQUE = secrets.token_hex(16)
_REALM = REALM.encode("ascii")

_NAME = rb"[-!#$%&'*+.^_`|~0-9A-Za-z]+"
_PARAMETER = re.compile(
    rb"(?P<name>" + _NAME + rb')[ \t]*=[ \t]*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<token>' + _NAME + rb"))"
    rb"[ \t]*(?:,[ \t,]*|\Z)",
    re.DOTALL,
)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_COUNT = re.compile(rb"[0-9a-fA-F]{8}")
_NEEDED = (b"realm", b"nonce", b"uri", b"response", b"qop", b"nc", b"cnonce", b"opaque")


class Refused(Exception):
    """
    What came does not answer the challenge; the text says why.

    Attributes:
        stale: It does, but the nonce is too old (RFC 7616 §3.3).
    """

    def __init__(self, why: str, *, stale: bool = False) -> None:
        super().__init__(why)
        self.stale = stale


def challenge(qop: str, algorithm: str, *, stale: bool) -> str:
    """Return the value of WWW-Authenticate (RFC 7616 §3.3)."""
    return (
        f'Digest realm="{REALM}", qop="{qop}", algorithm={algorithm}, nonce="{_new_nonce()}", '
        f'opaque="{_OPAQUE}", charset=UTF-8, stale={"true" if stale else "false"}'
    )


@dataclass(frozen=True, slots=True)
class Terms:
    """
    Who is let in, and how.

    Attributes:
        qop: Whether the content is hashed, too (auth-int), or not (auth).
        algorithm: One of :data:`ALGORITHMS`.
        user: The name.
        password: That goes with it.
        most_uses: Of one nonce; None sets no limit.
    """

    qop: str
    algorithm: str
    user: bytes
    password: bytes
    most_uses: int | None = None

    def hashed(self, *parts: bytes) -> bytes:
        """Return the hash of parts with colons between them."""
        name = ALGORITHMS[self.algorithm]
        return hashlib.new(name, b":".join(parts), usedforsecurity=False).hexdigest().encode("ascii")


def check(request: Request, terms: Terms, answer: bytes) -> str:
    """
    Find that a request has the right credentials.

    Args:
        request: Whose content counts, too, with auth-int.
        terms: What are the right ones.
        answer: The content of the response that it gets then.

    Returns:
        The value of Authentication-Info, by which a client knows that the server has the password (§3.5).

    Raises:
        Refused: It has not.
    """
    sent = _parse(request.headers.get("authorization"))
    given_user = _user(sent)
    missing = [name.decode("ascii") for name in _NEEDED if not sent.get(name)]
    if missing:
        raise Refused(f"Authorization has no {', '.join(missing)}")
    _check_terms(request, sent, terms)
    method = request.method.encode("ascii")
    expected = _response(sent, terms, method, request.body if terms.qop == "auth-int" else b"")
    fits = hmac.compare_digest(expected, sent[b"response"].lower())
    if not (hmac.compare_digest(terms.user, given_user) and fits):
        raise Refused("the response is not that of this user and password")
    _check_nonce(sent, terms.most_uses)
    proof = _response(sent, terms, b"", answer).decode("ascii")  # §3.5: as theirs, but without a method
    nc, cnonce = sent[b"nc"].decode("ascii"), sent[b"cnonce"].decode("latin-1")
    return f'qop={terms.qop}, rspauth="{proof}", cnonce="{cnonce}", nc={nc}'


def _response(sent: dict[bytes, bytes], terms: Terms, method: bytes, content: bytes) -> bytes:
    """Return the hash over all that both sides know (§3.4.1), with A1 and A2 as in §3.4.2 and §3.4.3."""
    first = terms.hashed(terms.user, _REALM, terms.password)
    if terms.algorithm.endswith("-sess"):
        first = terms.hashed(first, sent[b"nonce"], sent[b"cnonce"])
    body = [terms.hashed(content)] if terms.qop == "auth-int" else []
    second = terms.hashed(method, sent[b"uri"], *body)
    return terms.hashed(first, sent[b"nonce"], sent[b"nc"], sent[b"cnonce"], sent[b"qop"], second)


def _check_terms(request: Request, sent: dict[bytes, bytes], terms: Terms) -> None:
    """Refuse what answers another challenge than ours."""
    ours = {
        b"realm": _REALM,
        b"opaque": _OPAQUE.encode("ascii"),
        b"qop": terms.qop.encode("ascii"),
        b"algorithm": terms.algorithm.encode("ascii"),
    }
    for name, wanted in ours.items():
        if sent.get(name, b"MD5" if name == b"algorithm" else b"") != wanted:
            raise Refused(f"{_text(name)} is {_text(sent.get(name, b'not given'))}, and not {_text(wanted)}")
    # §3.4: the uri is "the value of the request-target in the request line", in whichever form.
    if sent[b"uri"] not in (request.head.target, request.head.path):
        raise Refused(f"uri is {_text(sent[b'uri'])}, and the request is for {request.request_path}")
    if not _COUNT.fullmatch(sent[b"nc"]) or int(sent[b"nc"], 16) == 0:
        raise Refused(f"nc is a count of 8 hexadecimal digits, and not {_text(sent[b'nc'])}")


def _check_nonce(sent: dict[bytes, bytes], most_uses: int | None) -> None:
    """Refuse a nonce that is not ours, or is no longer good."""
    made, _, rest = sent[b"nonce"].partition(b"-")
    chance, _, proof = rest.partition(b"-")
    if not hmac.compare_digest(_proof(made, chance), proof):
        raise Refused("the nonce is not one of this server's")
    if time.time() - int(made, 16) > NONCE_AGE_S:
        raise Refused(f"the nonce is older than {NONCE_AGE_S} seconds", stale=True)
    if most_uses is not None and int(sent[b"nc"], 16) > most_uses:
        raise Refused(f"the nonce was used {most_uses} times", stale=True)


def _new_nonce() -> str:
    made, chance = b"%x" % int(time.time()), secrets.token_hex(8).encode("ascii")
    return b"-".join((made, chance, _proof(made, chance))).decode("ascii")


def _proof(made: bytes, chance: bytes) -> bytes:
    return hmac.new(_KEY, made + b"-" + chance, "sha256").hexdigest().encode("ascii")


def _parse(authorization: bytes | None) -> dict[bytes, bytes]:
    """Return the parameters of Digest credentials, by name in lower case (RFC 9110 §11.4, RFC 7616 §3.4)."""
    scheme, _, rest = (authorization or b"").strip(b" \t").partition(b" ")
    if scheme.lower() != b"digest":
        raise Refused("there is no Authorization by Digest")
    found: dict[bytes, bytes] = {}
    rest = rest.strip(b" \t")
    position = 0
    while position < len(rest):
        match = _PARAMETER.match(rest, position)
        if match is None:
            raise Refused(f"Authorization is no list of name=value from here on: {_text(rest[position:])}")
        name = match["name"].lower()
        if name in found:  # RFC 9110 §11.2: "each parameter name MUST only occur once per challenge"
            raise Refused(f"Authorization has {_text(name)} twice")
        # §3.4: what is hashed is "unq(X)", the value without its quotes, and its backslashes as they are.
        found[name] = match["token"] if match["quoted"] is None else match["quoted"]
        position = match.end()
    return found


def _user(sent: dict[bytes, bytes]) -> bytes:
    """Return the user's name, which may be in the form for text beyond ASCII (§3.4, RFC 8187 §3.2)."""
    if b"username*" in sent:
        charset, _, value = sent[b"username*"].partition(b"''")
        if charset.lower() != b"utf-8":
            raise Refused("username* is UTF-8'' and what is percent-encoded")
        return unquote_to_bytes(value)
    if b"username" not in sent:
        raise Refused("Authorization has no username")
    return _ESCAPED.sub(rb"\1", sent[b"username"])


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "backslashreplace")
