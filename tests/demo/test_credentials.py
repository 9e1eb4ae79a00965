"""Credentials: Basic, Bearer and Digest."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Answer, Peer
from wptproto.demo import digest

IN = {"authenticated": True, "user": "user"}


def basic(credentials: str) -> list[tuple[str, str]]:
    return [("authorization", "Basic " + b64encode(credentials.encode()).decode())]


def test_basic(peer: Peer, told: Told) -> None:
    """/basic-auth lets in whoever has these credentials."""
    assert told(peer.request("/basic-auth/user/passwd", headers=basic("user:passwd"))) == IN


def test_basic_beyond_ascii(plain: Peer, told: Told) -> None:
    """They are in UTF-8, and the path is decoded."""
    answer = plain.request("/basic-auth/J%C3%BCrgen/a%2Fb:c", headers=basic("J\u00fcrgen:a/b:c"))
    assert told(answer) == {"authenticated": True, "user": "J\u00fcrgen"}


WRONG: list[list[tuple[str, str]]] = [
    [],
    basic("user:wrong"),
    basic("wrong:passwd"),
    basic("user"),
    [("authorization", "Basic !")],
    [("authorization", "Basic a")],
    [("authorization", "Bearer abc")],
]


@pytest.mark.parametrize("fields", WRONG)
def test_wrong_basic(peer: Peer, fields: list[tuple[str, str]]) -> None:
    """Whoever sends others, or what is none, is asked for them."""
    answer = peer.request("/basic-auth/user/passwd", headers=fields)
    assert (answer.status, answer.content) == (401, b"")
    assert answer.get("www-authenticate") == 'Basic realm="Fake Realm"'


def test_hidden_basic(peer: Peer, told: Told) -> None:
    """/hidden-basic-auth wants them unasked."""
    assert told(peer.request("/hidden-basic-auth/user/passwd", headers=basic("user:passwd"))) == IN


@pytest.mark.parametrize("fields", WRONG)
def test_wrong_hidden_basic(plain: Peer, fields: list[tuple[str, str]]) -> None:
    """Others see that there is nothing."""
    answer = plain.request("/hidden-basic-auth/user/passwd", headers=fields)
    assert (answer.status, answer.get("www-authenticate")) == (404, None)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_bearer(peer: Peer, told: Told, scheme: str) -> None:
    """/bearer lets in whoever has a token, and tells it."""
    answer = peer.request("/bearer", headers=[("authorization", f"{scheme} a.b-c_d~e+f/0==")])
    assert told(answer) == {"authenticated": True, "token": "a.b-c_d~e+f/0=="}


@pytest.mark.parametrize("value", [None, "Bearer", "Bearer a b", "Basic abc", "Bearer =a"])
def test_no_bearer(peer: Peer, value: str | None) -> None:
    """Others are asked for one."""
    answer = peer.request("/bearer", headers=[] if value is None else [("authorization", value)])
    assert (answer.status, answer.get("www-authenticate")) == (401, "Bearer")


# --- Digest: what a client does, written from RFC 7616 --------------------------------------------

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}
QUOTED = ("username", "realm", "uri", "response", "cnonce", "nonce", "opaque")


def challenge_of(answer: Answer) -> dict[str, str]:
    """Return the parameters of a challenge."""
    assert answer.status == 401
    scheme, _, rest = (answer.get("www-authenticate") or "").partition(" ")
    assert scheme == "Digest"
    return {
        name: quoted or token for name, quoted, token in re.findall(r'(\w+)=(?:"([^"]*)"|([^ ,]+))', rest)
    }


def credentials(
    challenge: dict[str, str], path: str, *, method: str = "GET", content: bytes = b"", **changes: Any
) -> list[tuple[str, str]]:
    """Return the Authorization that answers a challenge, with *changes*; None leaves a parameter out."""
    sent: dict[str, Any] = {
        "username": "user",
        "realm": challenge["realm"],
        "uri": path,
        "algorithm": challenge["algorithm"],
        "nonce": challenge["nonce"],
        "nc": "00000001",
        "cnonce": "0a4f113b",
        "qop": challenge["qop"],
        "opaque": challenge["opaque"],
    }
    sent |= {name: value for name, value in changes.items() if name in sent and value is not None}
    name = sent["algorithm"].removesuffix("-sess")

    def hashed(*parts: str) -> str:
        return HASHES[name](":".join(parts).encode()).hexdigest()

    first = hashed("user", sent["realm"], "passwd")
    if sent["algorithm"].endswith("-sess"):
        first = hashed(first, sent["nonce"], sent["cnonce"])
    body = [HASHES[name](content).hexdigest()] if sent["qop"] == "auth-int" else []
    second = hashed(method, sent["uri"], *body)
    sent["response"] = hashed(first, sent["nonce"], sent["nc"], sent["cnonce"], sent["qop"], second)
    sent |= changes
    lines = (
        f'{name}="{value}"' if name in QUOTED else f"{name}={value}"
        for name, value in sent.items()
        if value is not None
    )
    return [("authorization", "Digest " + ", ".join(lines))]


PATH = "/digest-auth/auth/user/passwd"


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
@pytest.mark.parametrize("algorithm", [None, *digest.ALGORITHMS])
def test_digest(peer: Peer, told: Told, qop: str, algorithm: str | None) -> None:
    """Whoever answers the challenge is let in, and told by rspauth that the server knows the password."""
    path = f"/digest-auth/{qop}/user/passwd" + (f"/{algorithm}" if algorithm else "")
    challenge = challenge_of(peer.request(path))
    assert (challenge["qop"], challenge["algorithm"]) == (qop, algorithm or "MD5")
    assert (challenge["stale"], challenge["charset"]) == ("false", "UTF-8")
    answer = peer.request(path, headers=credentials(challenge, path))
    assert told(answer) == IN
    # RFC 7616 §3.5: the same hash, with an A2 that has no method, and the content of this response.
    expected = credentials(challenge, path, method="", content=answer.content)[0][1]
    proof = re.search('response="([0-9a-f]+)"', expected)
    assert proof is not None
    assert answer.get("authentication-info") == (
        f'qop={qop}, rspauth="{proof[1]}", cnonce="0a4f113b", nc=00000001'
    )


def test_digest_with_content(peer: Peer, told: Told) -> None:
    """With auth-int the content of the request counts."""
    path = "/digest-auth/auth-int/user/passwd/SHA-256"
    challenge = challenge_of(peer.request(path))
    fields = credentials(challenge, path, content=b"some content")
    assert told(peer.request(path, headers=fields, content=b"some content")) == IN
    assert peer.request(path, headers=fields, content=b"other content").status == 401


def test_digest_of_head(peer: Peer) -> None:
    """The method counts."""
    challenge = challenge_of(peer.request(PATH))
    assert (
        peer.request(PATH, method="HEAD", headers=credentials(challenge, PATH, method="HEAD")).status == 200
    )
    assert peer.request(PATH, method="HEAD", headers=credentials(challenge, PATH)).status == 401


def test_digest_with_a_query(plain: Peer, told: Told) -> None:
    """The query is a part of the uri."""
    challenge = challenge_of(plain.request(PATH))
    assert told(plain.request(PATH + "?a=b", headers=credentials(challenge, PATH + "?a=b"))) == IN


def test_digest_again(plain: Peer, told: Told) -> None:
    """A nonce is good for more than one request."""
    challenge = challenge_of(plain.request(PATH))
    for count in range(1, 4):
        assert told(plain.request(PATH, headers=credentials(challenge, PATH, nc=f"{count:08x}"))) == IN


def test_nonces_differ(plain: Peer) -> None:
    """No two challenges have the same nonce."""
    first, second = (challenge_of(plain.request(PATH))["nonce"] for _ in range(2))
    assert first != second


def test_digest_used_up(peer: Peer, told: Told) -> None:
    """Where the path says how often, a nonce is stale behind that, and another one is good."""
    path = PATH + "/MD5/2"
    challenge = challenge_of(peer.request(path))
    for count in (1, 2):
        assert told(peer.request(path, headers=credentials(challenge, path, nc=f"{count:08x}"))) == IN
    answer = peer.request(path, headers=credentials(challenge, path, nc="00000003"))
    assert answer.text == "the nonce was used 2 times\n"
    another = challenge_of(answer)
    assert another["stale"] == "true"
    assert told(peer.request(path, headers=credentials(another, path))) == IN


def test_digest_never_used_up(plain: Peer, told: Told) -> None:
    """It can say never."""
    path = PATH + "/MD5/never"
    fields = credentials(challenge_of(plain.request(path)), path, nc="ffffffff")
    assert told(plain.request(path, headers=fields)) == IN


def test_digest_too_old(plain: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A nonce is stale after five minutes."""
    challenge = challenge_of(plain.request(PATH))
    monkeypatch.setattr(digest, "NONCE_AGE_S", -1)
    answer = plain.request(PATH, headers=credentials(challenge, PATH))
    assert answer.text == "the nonce is older than -1 seconds\n"
    assert challenge_of(answer)["stale"] == "true"


def test_user_beyond_ascii(plain: Peer, told: Told) -> None:
    """A name beyond ASCII can be sent in UTF-8, or as RFC 8187 has it."""
    user = "J\u00e4s\u00f8n Doe"
    path = f"/digest-auth/auth/{quote(user)}/passwd"
    challenge = challenge_of(plain.request(path))
    base = credentials(challenge, path, username=None)[0][1]
    first = hashlib.md5(f"{user}:{challenge['realm']}:passwd".encode()).hexdigest()
    second = hashlib.md5(f"GET:{path}".encode()).hexdigest()
    known = f"{first}:{challenge['nonce']}:00000001:0a4f113b:auth:{second}"
    base = re.sub('response="[^"]*"', f'response="{hashlib.md5(known.encode()).hexdigest()}"', base)
    for name in (f'username="{user}"', f"username*=UTF-8''{quote(user)}"):
        answer = plain.request(path, headers=[("authorization", f"{base}, {name}")])
        assert told(answer) == {"authenticated": True, "user": user}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"username": "other"}, "the response is not that of this user and password"),
        ({"response": "0" * 32}, "the response is not that of this user and password"),
        ({"nonce": "x"}, "the nonce is not one of this server's"),
        ({"realm": "x"}, "realm is x, and not Fake Realm"),
        ({"opaque": "x"}, r"opaque is x, and not [0-9a-f]+"),
        ({"qop": "auth-int"}, "qop is auth-int, and not auth"),
        ({"algorithm": None}, "algorithm is not given, and not SHA-256"),
        ({"algorithm": "MD5"}, "algorithm is MD5, and not SHA-256"),
        ({"uri": "/other"}, "uri is /other, and the request is for /digest-auth/auth/user/passwd/SHA-256"),
        ({"nc": "1"}, "nc is a count of 8 hexadecimal digits, and not 1"),
        ({"nc": "00000000"}, "nc is a count of 8 hexadecimal digits, and not 00000000"),
        ({"nc": None, "cnonce": None}, "Authorization has no nc, cnonce"),
        ({"username": None}, "Authorization has no username"),
        ({"username*": "latin-1''user"}, "username\\* is UTF-8'' and what is percent-encoded"),
        ({"Realm": "x"}, "Authorization has realm twice"),
        ({"x": "@"}, "Authorization is no list of name=value from here on: x=@"),
    ],
    ids=str,
)
def test_wrong_digest(plain: Peer, changes: dict[str, Any], why: str) -> None:
    """Who is refused is told why, and asked again, for the nonce is not what is wrong."""
    path = PATH + "/SHA-256"
    challenge = challenge_of(plain.request(path))
    answer = plain.request(path, headers=credentials(challenge, path, **changes))
    assert challenge_of(answer)["stale"] == "false"
    assert re.fullmatch(f"{why}\n", answer.text)


@pytest.mark.parametrize("value", ["Basic abc", "Digest", "digest a=b"])
def test_no_digest(plain: Peer, value: str) -> None:
    """Other credentials, or none, are no answer."""
    answer = plain.request(PATH, headers=[("authorization", value)])
    assert answer.status == 401
    assert answer.text in (
        "there is no Authorization by Digest\n",
        "Authorization has no username\n",
    )


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/digest-auth/none/user/passwd", "qop is one of auth, auth-int, and not 'none'"),
        (
            "/digest-auth/auth/user/passwd/SHA-1",
            f"algorithm is one of {', '.join(digest.ALGORITHMS)}, and not 'SHA-1'",
        ),
        ("/digest-auth/auth/user/passwd/MD5/0", "stale_after is a number from 1 to 1000000, not '0'"),
    ],
)
def test_what_makes_no_sense(plain: Peer, complaint: Told, path: str, expected: str) -> None:
    """Who asks for what there is not is told what there is, by a 400."""
    answer = plain.request(path)
    assert (answer.status, complaint(answer)) == (400, expected)
