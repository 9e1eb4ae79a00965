"""httpx and curl at the paths known from httpbin, as their users write it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.test_curl import WAYS as CURL_WAYS
from tests.e2e.test_curl import run
from tests.e2e.test_httpx import WAYS as HTTPX_WAYS
from wptproto import Server, demo


@pytest.fixture(scope="module")
def site(certs_dir: Path) -> Iterator[Server]:
    """The demonstration, as a test suite starts it."""
    with Server(routes=demo.routes(), certs_dir=certs_dir) as server:
        yield server


@pytest.fixture(params=HTTPX_WAYS)
def client(request: pytest.FixtureRequest, site: Server) -> Iterator[httpx.Client]:
    scheme, http2 = HTTPX_WAYS[request.param]
    with httpx.Client(
        base_url=site.https_url() if scheme == "https" else site.http_url(),
        http1=not http2,
        http2=http2,
        verify=site.client_context(),
        timeout=20,
        trust_env=False,
        follow_redirects=True,
    ) as client:
        yield client


@pytest.fixture(params=CURL_WAYS)
def way(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=[way for way in CURL_WAYS if way != "h2c"])
def way_of_two(request: pytest.FixtureRequest) -> str:
    """A way to make two requests; by prior knowledge curl 7.88 makes only one (curl/curl#10634)."""
    found: str = request.param
    return found


# --- httpx ---------------------------------------------------------------------------------------


def test_httpx_is_told_what_it_sent(client: httpx.Client) -> None:
    """Query, JSON, forms and files come back as they were given."""
    got = client.get("/get", params={"a": ["1", "2"]}, headers={"X-Test": "yes"}).json()
    assert got["args"] == {"a": ["1", "2"]}
    assert got["headers"]["X-Test"] == "yes"
    assert got["url"] == f"{client.base_url}get?a=1&a=2"
    assert client.put("/put", json={"a": [1]}).json()["json"] == {"a": [1]}
    sent = client.post("/post", data={"a": "1"}, files={"f": ("n.txt", b"text", "text/plain")}).json()
    assert (sent["form"], sent["files"]) == ({"a": "1"}, {"f": "text"})
    assert client.request("DELETE", "/anything", content=b"\xff").json()["data"].startswith("data:")


def test_httpx_follows_redirects(client: httpx.Client) -> None:
    """It follows relative and absolute ones, and keeps a POST where it is told to."""
    for path in ("/redirect/3", "/relative-redirect/3", "/absolute-redirect/3", "/redirect/3?absolute=true"):
        response = client.get(path)
        assert (response.url.path, len(response.history)) == ("/get", 3)
    response = client.post("/redirect-to", params={"url": "/post", "status_code": 307}, content=b"x")
    assert response.json()["data"] == "x"


def test_httpx_keeps_cookies(client: httpx.Client) -> None:
    """It sends back the cookies that it was given, and forgets those that are deleted."""
    assert client.get("/cookies/set", params={"a": "b c", "d": "e"}).json() == {
        "cookies": {"a": "b c", "d": "e"}
    }
    assert client.get("/cookies/delete?a").json() == {"cookies": {"d": "e"}}


@pytest.mark.parametrize("algorithm", ["MD5", "MD5-sess", "SHA-256", "SHA-512"])
def test_httpx_has_credentials(client: httpx.Client, algorithm: str) -> None:
    """It is let in by Basic and by Digest, again with the same nonce, and not with another password."""
    assert client.get("/basic-auth/user/passwd", auth=("user", "passwd")).json()["authenticated"]
    path, auth = f"/digest-auth/auth/user/passwd/{algorithm}", httpx.DigestAuth("user", "passwd")
    for asked in (1, 0):
        response = client.get(path, auth=auth)
        assert (response.json()["user"], len(response.history)) == ("user", asked)
    assert client.get(path, auth=httpx.DigestAuth("user", "other")).status_code == 401


@pytest.mark.parametrize(("path", "mark"), [("/gzip", "gzipped"), ("/deflate", "deflated")])
def test_httpx_decodes(client: httpx.Client, path: str, mark: str) -> None:
    """It decodes what is coded."""
    assert client.get(path).json()[mark] is True


def test_httpx_times_out(client: httpx.Client) -> None:
    """It does not wait for what takes too long."""
    with pytest.raises(httpx.ReadTimeout):
        client.get("/delay/10", timeout=0.2)


def test_httpx_reads_streams(client: httpx.Client) -> None:
    """It reads lines as they come, octets to their end, and a part of them."""
    with client.stream("GET", "/stream/3") as response:
        assert [json.loads(line)["id"] for line in response.iter_lines()] == [0, 1, 2]
    assert client.get("/drip?numbytes=5&duration=0.1").content == b"*****"
    part = client.get("/range/100", headers={"Range": "bytes=10-24"})
    assert (part.status_code, part.text) == (206, "klmnopqrstuvwxy")


# --- curl ----------------------------------------------------------------------------------------


def told(curl: str, site: Server, way: str, path: str, *options: str) -> Any:
    return json.loads(run(curl, site, way, path, *options))


def test_curl_is_told_what_it_sent(curl: str, site: Server, way: str) -> None:
    """Forms and files come back as they were given."""
    sent = told(curl, site, way, "/post", "--form", "a=1", "--form", "f=@/dev/null;filename=n;type=image/png")
    assert (sent["form"], sent["files"]) == ({"a": "1"}, {"f": ""})
    sent = told(curl, site, way, "/anything", "--request", "PROPFIND", "--data", "a=1&a=2")
    assert (sent["method"], sent["form"]) == ("PROPFIND", {"a": ["1", "2"]})
    assert "Http2-Settings" in sent["headers"] or way != "upgrade"


@pytest.mark.parametrize("qop", ["auth", "auth-int"])
@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_curl_has_credentials(curl: str, site: Server, way_of_two: str, qop: str, algorithm: str) -> None:
    """It is let in by Digest, and by Basic."""
    way = way_of_two
    path = f"/digest-auth/{qop}/user/pass%20wd/{algorithm}"
    user = ("--user", "user:pass wd")
    assert told(curl, site, way, path, "--digest", *user) == {"authenticated": True, "user": "user"}
    assert told(curl, site, way, "/basic-auth/user/pass%20wd", *user)["authenticated"] is True


def test_curl_follows_redirects(curl: str, site: Server, way_of_two: str) -> None:
    """It follows them, and keeps cookies on its way."""
    way = way_of_two
    found = told(curl, site, way, "/cookies/set/a/b", "--location", "--cookie", "")
    assert found == {"cookies": {"a": "b"}}
    out = run(curl, site, way, "/redirect/2?absolute=true", "--location", "--write-out", "%{num_redirects}")
    assert out.endswith("2")


def test_curl_decodes(curl: str, site: Server, way: str) -> None:
    """It decodes what it has asked for."""
    assert told(curl, site, way, "/gzip", "--compressed")["gzipped"] is True


def test_curl_resumes(curl: str, site: Server, way: str) -> None:
    """It goes on where it was, and asks no more for what it has."""
    assert run(curl, site, way, "/range/26", "--continue-at", "20") == "uvwxyz"
    status = ("--write-out", "%{http_code}")
    assert run(curl, site, way, "/etag/abc", "--header", 'If-None-Match: "abc"', *status) == "304"
