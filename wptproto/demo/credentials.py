"""Credentials: Basic (RFC 7617), Bearer (RFC 6750) and Digest (RFC 7616)."""

from __future__ import annotations

import hmac
import re

from wptproto.demo.arguments import number, one_of, segment
from wptproto.demo.digest import ALGORITHMS, QOPS, Refused, Terms, challenge, check
from wptproto.demo.family import Answer
from wptproto.demo.redirecting import REALM
from wptproto.demo.report import as_json
from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response

__all__ = ["ANSWERS"]

MOST_USES = 1_000_000

_BEARER = re.compile(rb"bearer +([-._~+/0-9A-Za-z]+=*)", re.IGNORECASE)  # RFC 6750 §2.1: b64token


def basic_auth(request: Request, response: Response) -> str | None:
    """Ask for this user's name and password by Basic."""
    if _sent_basic(request):
        return _authenticated(request, response)
    response.status = 401
    response.headers.set("WWW-Authenticate", f'Basic realm="{REALM}"')
    return None


def hidden_basic_auth(request: Request, response: Response) -> str | None:
    """Answer whoever sends them unasked; and others 404."""
    if _sent_basic(request):
        return _authenticated(request, response)
    raise HTTPException(404, "there is nothing here for whoever sends other credentials, or none")


def bearer(request: Request, response: Response) -> str | None:
    """Ask for a token, any token."""
    sent = _BEARER.fullmatch(request.headers.get("authorization", b""))
    if sent is not None:
        return as_json(response, {"authenticated": True, "token": sent[1].decode("ascii")})
    response.status = 401
    response.headers.set("WWW-Authenticate", "Bearer")
    return None


def digest_auth(request: Request, response: Response) -> str:
    """
    Ask for them by Digest: qop is auth or auth-int, algorithm MD5, SHA-256 or SHA-512, or that with -sess.

    A nonce is good for five minutes, or stale_after requests. Whoever is refused is told why.
    """
    qop = one_of("qop", segment(request, "qop"), QOPS)
    asked = segment(request, "algorithm") if "algorithm" in request.route_match else "MD5"
    algorithm = one_of("algorithm", asked, ALGORITHMS)
    uses = segment(request, "stale_after") if "stale_after" in request.route_match else "never"
    most_uses = None if uses == "never" else number(int, "stale_after", uses, 1, MOST_USES)
    user, password = (segment(request, name).encode() for name in ("user", "passwd"))
    answer = _authenticated(request, response)
    try:
        info = check(request, Terms(qop, algorithm, user, password, most_uses), answer.encode())
    except Refused as refused:
        response.status = 401
        response.headers.set("WWW-Authenticate", challenge(qop, algorithm, stale=refused.stale))
        response.headers.set("Content-Type", "text/plain")
        return f"{refused}\n"
    response.headers.set("Authentication-Info", info)
    return answer


def _sent_basic(request: Request) -> bool:
    """Whether the credentials are there that the path names; those that make no sense are none."""
    wanted = [segment(request, name).encode() for name in ("user", "passwd")]
    try:
        sent = (request.auth.username, request.auth.password)
    except HTTPException:
        return False
    return all(hmac.compare_digest(of or b"", one) for of, one in zip(sent, wanted, strict=True))


def _authenticated(request: Request, response: Response) -> str:
    return as_json(response, {"authenticated": True, "user": segment(request, "user")})


ANSWERS = (
    Answer("GET", "/basic-auth/{user}/{passwd}", basic_auth, link="/basic-auth/user/passwd"),
    Answer(
        "GET", "/hidden-basic-auth/{user}/{passwd}", hidden_basic_auth, link="/hidden-basic-auth/user/passwd"
    ),
    Answer("GET", "/bearer", bearer),
    Answer("GET", "/digest-auth/{qop}/{user}/{passwd}", digest_auth, link="/digest-auth/auth/user/passwd"),
    Answer(
        "GET",
        "/digest-auth/{qop}/{user}/{passwd}/{algorithm}",
        digest_auth,
        link="/digest-auth/auth/user/passwd/SHA-256",
    ),
    Answer(
        "GET",
        "/digest-auth/{qop}/{user}/{passwd}/{algorithm}/{stale_after}",
        digest_auth,
        link="/digest-auth/auth/user/passwd/SHA-256/2",
    ),
)
