"""The form that content is: urlencoded, or multipart, whatever pieces it comes in."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto import HTTPException
from wptproto.semantics import form_content
from wptproto.semantics.form_content import FilePart, MultipartDecoder, parse_form
from wptproto.semantics.forms import MultiDict

MULTIPART = b"multipart/form-data; boundary=xx"
URLENCODED = b"application/x-www-form-urlencoded"


def part(disposition: bytes, content: bytes, *lines: bytes) -> bytes:
    """Return a part and the delimiter line before it."""
    head = [b"--xx", b"Content-Disposition: form-data; " + disposition, *lines, b"", b""]
    return b"\r\n".join(head) + content + b"\r\n"


def shown(form: MultiDict[Any]) -> list[tuple[bytes, Any]]:
    """Return names and values in order; a file as its filename and content."""
    return [
        (name, (value.filename, value.value) if isinstance(value, FilePart) else value)
        for name in form
        for value in form.get_list(name)
    ]


def decode(*pieces: bytes, content_type: bytes = MULTIPART) -> list[tuple[bytes, Any]]:
    return shown(parse_form("POST", content_type, pieces))


def the_file(content: bytes) -> FilePart:
    value = parse_form("POST", MULTIPART, [content])[b"f"]
    assert isinstance(value, FilePart)
    return value


WHOLE = (
    part(b'name="a\xff"', b"v\xfe")
    + part(b'name="f"; filename="q\xff.bin"', b"\x00\r\n--x\r\n--xy\r\n-\r", b"Content-Type: image/x; q=1")
    + part(b'name="a\xff"', b"")
    + b"--xx--\r\n"
)
WHOLE_SHOWN: list[tuple[bytes, Any]] = [
    (b"a\xff", b"v\xfe"),
    (b"a\xff", b""),
    (b"f", ("q\xff.bin", b"\x00\r\n--x\r\n--xy\r\n-\r")),
]


def test_values_and_files() -> None:
    """Names, values, filenames and content come out octet for octet, in the order they were sent."""
    assert decode(WHOLE) == WHOLE_SHOWN


@given(st.lists(st.integers(0, len(WHOLE)), max_size=5))
def test_multipart_content_may_be_cut_anywhere(places: list[int]) -> None:
    """Whatever pieces it comes in, the form is the same."""
    cuts = [0, *sorted(places), len(WHOLE)]
    assert decode(*(WHOLE[start:end] for start, end in pairwise(cuts))) == WHOLE_SHOWN


def test_multipart_content_may_come_octet_by_octet() -> None:
    """One octet after the other, with a preamble before them, they make the same form."""
    whole = b"not --xx\r\n --xx\r\n" + WHOLE
    assert decode(*(whole[i : i + 1] for i in range(len(whole)))) == WHOLE_SHOWN


@given(
    st.lists(st.sampled_from([b"\r\n--xx", b"-", b"--", b"\r\n", b"\r", b"x", b" ", b"\xff"])),
    st.integers(1, 9),
)
def test_content_that_looks_like_a_delimiter(pieces: list[bytes], size: int) -> None:
    """What is no delimiter line is content (RFC 2046 §5.1.1)."""
    content = b"".join(pieces).replace(b"\r\n--xx", b"\r\n--xy")
    whole = part(b"name=a", content) + b"--xx--"
    assert decode(*(whole[i : i + size] for i in range(0, len(whole), size))) == [(b"a", content)]


def test_a_file_part_says_what_it_is() -> None:
    """A file has name, filename, type, fields and a file that can be sought; as text, octets are kept."""
    file = the_file(
        part(
            b'name="f"; filename="q\xff\\"%22\\.txt"',
            b"some text",
            b'content-type: text/x; charset="z"',
            b"X-Foo:  \xfe ",
        )
        + b"--xx--"
    )
    assert (file.name, file.filename) == ("f", 'q\xff"%22\\.txt')
    assert (file.type, file.type_options) == ("text/x", {"charset": "z"})
    assert file.disposition == "form-data"
    assert file.disposition_options == {"name": "f", "filename": file.filename}
    assert (file.headers["Content-Type"], file.headers["x-foo"], file.headers["x-none"]) == (
        'text/x; charset="z"',
        "\xfe",
        None,
    )
    assert file.file.read(5) == b"some "
    assert file.value == b"some text"
    assert file.file.read() == b"some text"
    assert repr(file) == "<FilePart 'f' 'q\xff\"%22\\\\.txt'>"


def test_a_file_without_a_type_is_text() -> None:
    """RFC 7578 §4.4: "the default value is "text/plain"", and a field that is not there is None."""
    file = the_file(part(b"name=f; filename=n", b"") + b"--xx--")
    assert (file.type, file.headers["Content-Type"]) == ("text/plain", None)


def test_a_large_file_goes_to_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit a file does not stay in memory, and nothing else changes."""
    monkeypatch.setattr(form_content, "FILE_MEMORY_OCTETS", 10)
    file = the_file(part(b"name=f; filename=n", b"x" * 1000) + b"--xx--")
    assert file.file.fileno() > 0
    assert file.value == b"x" * 1000


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        (b'name="f"; filename=""', (b"f", b"v")),
        (b"NAME=f", (b"f", b"v")),
        (b'name = "f;g" ;x', (b"f;g", b"v")),
        (b'name="a\\"b"', (b'a"b', b"v")),
        (b'name="a%22b"', (b"a%22b", b"v")),
        (b'name=""', (b"", b"v")),
        (b"name=f; filename*=UTF-8''n", (b"f", b"v")),
        (b'name=f; filename="C:\\dir\\"', (b"f", ("C:\\dir\\", b"v"))),
        (b'name=f; filename="C:\\a\\b.txt"', (b"f", ("C:\\a\\b.txt", b"v"))),
    ],
)
def test_content_disposition(disposition: bytes, expected: tuple[bytes, Any]) -> None:
    """Names and filenames are taken as browsers and others write them; an empty filename makes no file."""
    assert decode(part(disposition, b"v") + b"--xx--") == [expected]


@pytest.mark.parametrize("cut", range(1, len(WHOLE) - 2))
def test_multipart_content_cut_short(cut: int) -> None:
    """Content that ends before its last delimiter is a 400, wherever it breaks off."""
    with pytest.raises(HTTPException, match="malformed multipart content: ") as caught:
        decode(WHOLE[:cut])
    assert caught.value.code == 400


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (part(b"name=a", b"v"), "it was cut short: there is no line '--xx--', with which it ends"),
        (b"--yy\r\n\r\n\r\n--yy--", "there is no line '--xx', with which it begins"),
        (b"hello", "there is no line '--xx', with which it begins"),
        (b"--xxy\r\n", "CR at end of boundary"),
        (b"--xx\nContent-Disposition: form-data; name=a\n\nv\n--xx--\n", "CR at end of boundary"),
        (b"--xx\r\nContent-Type: a/b\r\n\r\nv\r\n--xx--", "a part has no name in its Content-Disposition"),
        (part(b"filename=a", b"v") + b"--xx--", "a part has no name in its Content-Disposition"),
        (b"--xx\r\nno field\r\n\r\nv\r\n--xx--", "invalid character"),
        (part(b"name=a", b"v", b"X: " + b"x" * 100_000), "header size"),
        (part(b"name=a", b"v", *[b"X: y"] * 200), "header count"),
    ],
)
def test_malformed_multipart_content(content: bytes, why: str) -> None:
    """What is no multipart content is a 400 that says why."""
    with pytest.raises(HTTPException) as caught:
        decode(content)
    assert caught.value.code == 400
    assert why in caught.value.message


@pytest.mark.parametrize(
    ("content_type", "why"),
    [
        (b"multipart/form-data", "needs a boundary"),
        (b'multipart/form-data; boundary=""', "needs a boundary"),
        (b"multipart/form-data; boundary=" + b"x" * 1000, "Boundary length"),
    ],
)
def test_a_boundary_that_is_none(content_type: bytes, why: str) -> None:
    """Without a usable boundary there is no telling the parts."""
    with pytest.raises(HTTPException) as caught:
        decode(b"", content_type=content_type)
    assert caught.value.code == 400
    assert why in caught.value.message


@pytest.mark.parametrize("content", [b"", b"--xx--", b"--xx--\r\n", b"preamble\r\n--xx--\r\nepilogue"])
def test_a_form_of_no_parts(content: bytes) -> None:
    """A form may be empty; no content at all is one, too."""
    assert decode(content) == []


def test_other_multipart_types() -> None:
    """Any multipart type will do, as long as its parts have names."""
    assert decode(WHOLE, content_type=b'Multipart/Mixed; charset=utf-8; Boundary="xx"') == WHOLE_SHOWN


def test_the_decoder_needs_no_request() -> None:
    """MultipartDecoder takes pieces and gives a form at the end."""
    decoder = MultipartDecoder(b"xx")
    decoder.feed(WHOLE)
    assert shown(decoder.end()) == WHOLE_SHOWN


# --- a request's form ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "content_type", "expected"),
    [
        ("POST", URLENCODED, [(b"a", b"1")]),
        ("PUT", URLENCODED, [(b"a", b"1")]),
        ("POST", b"Application/X-WWW-Form-Urlencoded;charset=utf-8", [(b"a", b"1")]),
        ("POST", None, [(b"a", b"1")]),
        ("PUT", None, []),
        ("POST", b"", []),
        ("POST", b"text/plain", []),
        ("GET", URLENCODED, []),
        ("HEAD", URLENCODED, []),
    ],
)
def test_what_is_taken_for_a_form(
    method: str, content_type: bytes | None, expected: list[tuple[bytes, bytes]]
) -> None:
    """The type decides; a POST without one is urlencoded; GET and HEAD have no form."""
    assert shown(parse_form(method, content_type, [b"a", b"=1"])) == expected


def test_what_is_no_form_is_not_read() -> None:
    """Of GET, or of another type, no content is asked for."""

    def unread() -> Iterable[bytes]:
        raise AssertionError
        yield b""

    assert parse_form("GET", MULTIPART, unread()) == {}
    assert parse_form("POST", b"text/plain", unread()) == {}
