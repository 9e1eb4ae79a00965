"""Content of several kinds, values and links."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from uuid import UUID
from xml.etree import ElementTree

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Peer


@pytest.mark.parametrize("path", ["/html", "/encoding/utf8", "/forms/post", "/links/3/1"])
def test_pages(peer: Peer, path: str) -> None:
    """Pages are HTML in UTF-8, whole, and need nothing else."""
    answer = peer.request(path)
    assert (answer.status, answer.get("content-type")) == (200, "text/html; charset=utf-8")
    assert answer.text.startswith("<!doctype html>\n")
    assert answer.text.endswith("</html>\n")
    assert not re.findall(r"\ssrc=|@import|url\(|\$[a-z]", answer.text)


def test_html(plain: Peer) -> None:
    """There is a heading."""
    assert "<h1>" in plain.request("/html").text


def test_utf8(plain: Peer) -> None:
    """There are characters of each length."""
    assert {len(character.encode()) for character in plain.request("/encoding/utf8").text} == {1, 2, 3, 4}


def test_form(plain: Peer) -> None:
    """The form is for /post, with the names that httpbin's has."""
    page = plain.request("/forms/post").text
    assert '<form method="post" action="/post">' in page
    names = re.findall(r'<(?:input|textarea)[^>]* name="(\w+)"', page)
    assert set(names) == {"custname", "custtel", "custemail", "size", "topping", "delivery", "comments"}


def test_json(peer: Peer, told: Told) -> None:
    """The JSON is a slide show."""
    slideshow = told(peer.request("/json"))["slideshow"]
    assert sorted(slideshow) == ["author", "date", "slides", "title"]
    assert slideshow["title"] == "Sample Slide Show"


def test_xml(peer: Peer) -> None:
    """So is the XML, which is well formed."""
    answer = peer.request("/xml")
    assert answer.get("content-type") == "application/xml"
    root = ElementTree.fromstring(answer.content)
    assert (root.tag, len(root.findall("slide"))) == ("slideshow", 2)


def test_robots(peer: Peer) -> None:
    """Robots are told to leave out /deny, which is for nobody."""
    assert peer.request("/robots.txt").text == "User-agent: *\nDisallow: /deny\n"
    answer = peer.request("/deny")
    assert (answer.status, answer.get("content-type")) == (200, "text/plain")
    assert "stay out" in answer.text


def test_links(peer: Peer) -> None:
    """A page has a link to each of those like it, but to itself."""
    page = peer.request("/links/4/2").text
    assert re.findall('href="([^"]*)"', page) == ["/links/4/0", "/links/4/1", "/links/4/3"]
    assert "\n2\n" in page


@pytest.mark.parametrize(("count", "found"), [("0", "1"), ("7", "7"), ("999", "200")])
def test_first_links(peer: Peer, count: str, found: str) -> None:
    """Without a place, one is led to the first; there are 1 to 200 links."""
    answer = peer.request(f"/links/{count}")
    assert (answer.status, answer.get("location")) == (302, f"/links/{found}/0")
    assert len(re.findall("href", peer.request(f"/links/{count}/1000").text)) == int(found)


def test_uuid(peer: Peer, told: Told) -> None:
    """A UUID is by chance, and so another each time."""
    first, second = (UUID(told(peer.request("/uuid"))["uuid"]) for _ in range(2))
    assert (first.version, second.version) == (4, 4)
    assert first != second


@pytest.mark.parametrize(
    "text",
    [
        "\u0417\u0434\u0440\u0430\u0432\u0441\u0442\u0432\u0443\u0439, \u043c\u0438\u0440!",
        "a",
        "ab",
        "abc",
        "???>>>",
    ],
)
@pytest.mark.parametrize("padded", [True, False])
def test_base64(peer: Peer, text: str, padded: bool) -> None:
    """Text is decoded, with padding or without."""
    value = urlsafe_b64encode(text.encode()).decode()
    answer = peer.request("/base64/" + (value if padded else value.rstrip("=")))
    assert (answer.status, answer.text) == (200, text)
    assert answer.get("content-type") == "text/plain; charset=utf-8"
    assert answer.get("x-content-type-options") == "nosniff"


def test_base64_of_octets(plain: Peer) -> None:
    """So are octets that are no text."""
    answer = plain.request("/base64/-_8=")
    assert (answer.content, answer.get("content-type")) == (b"\xfb\xff", "application/octet-stream")


@pytest.mark.parametrize("value", ["a", "ab%20c", "%C3%A9", "ab=c", "abc==="])
def test_no_base64(plain: Peer, complaint: Told, value: str) -> None:
    """What is none is 400, and what is one is told."""
    answer = plain.request(f"/base64/{value}")
    assert answer.status == 400
    assert re.fullmatch(r"this is no base64url .*; SGVsbG8 is", complaint(answer))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/links/x", "n is a number from 0 on, of which 200 is the most that counts, not 'x'"),
        ("/links/1/x", "offset is a number from 0 to 1000000000, not 'x'"),
    ],
)
def test_what_makes_no_sense(plain: Peer, complaint: Told, path: str, expected: str) -> None:
    """Who asks for what there is not is told what there is, by a 400."""
    answer = plain.request(path)
    assert (answer.status, complaint(answer)) == (400, expected)
