"""Fields: order, case and repetition, found without case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.semantics.fields import Fields, Value, to_octets

LINES = ((b"Accept", b"a"), (b"X", b"1"), (b"accept", b"b, c"), (b"ACCEPT", b""))


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        (b"\xff\x00", b"\xff\x00"),
        ("plain", b"plain"),
        ("\xff", b"\xff"),
        ("€", b"\xe2\x82\xac"),
        ("\xff€", b"\xc3\xbf\xe2\x82\xac"),
        (0, b"0"),
        (-17, b"-17"),
    ],
)
def test_to_octets(value: Value, octets: bytes) -> None:
    """Text is one character to one octet, text beyond ISO-8859-1 is UTF-8, numbers are decimal."""
    assert to_octets(value) == octets


@given(st.binary())
def test_every_octet_can_be_written_as_text(octets: bytes) -> None:
    """What is decoded as ISO-8859-1 comes back."""
    assert to_octets(octets.decode("latin-1")) == octets


@pytest.mark.parametrize("value", [None, 1.5, ["a"]])
def test_nothing_else_is_a_value(value: object) -> None:
    """A script that gives something else learns what it gave."""
    with pytest.raises(TypeError, match=type(value).__name__):
        to_octets(value)  # type: ignore[arg-type]


def test_lines_are_kept_as_they_are() -> None:
    """Order, case and repetition of field lines are as received (RFC 9110 §5.3)."""
    fields = Fields(iter(LINES))
    assert tuple(fields) == LINES
    assert len(fields) == len(LINES)


@pytest.mark.parametrize("name", [b"accept", b"ACCEPT", b"aCCept"])
def test_names_are_case_insensitive(name: bytes) -> None:
    """ "Field names are case-insensitive" (RFC 9110 §5.1)."""
    fields = Fields(LINES)
    assert name in fields
    assert fields.get_list(name) == [b"a", b"b, c", b""]
    assert fields.get(name) == b"a, b, c, "


def test_an_absent_field() -> None:
    """A field that is not there is None, or no values, or no members."""
    fields = Fields(LINES)
    assert b"host" not in fields
    assert fields.get(b"host") is None
    assert fields.get_list(b"host") == []
    assert fields.tokens(b"host") == []


def test_a_field_may_be_there_and_empty() -> None:
    """An empty value is a value."""
    fields = Fields([(b"Host", b"")])
    assert b"host" in fields
    assert fields.get(b"host") == b""


@pytest.mark.parametrize(
    ("values", "members"),
    [
        ([b"close"], [b"close"]),
        ([b"Keep-Alive, \tCLOSE "], [b"keep-alive", b"close"]),
        ([b"a", b"b,c"], [b"a", b"b", b"c"]),
        ([b"", b" , ,a,,"], [b"a"]),
        ([b"a\x0b,\xa0b"], [b"a\x0b", b"\xa0b"]),
    ],
)
def test_tokens(values: list[bytes], members: list[bytes]) -> None:
    """
    "A recipient MUST parse and ignore a reasonable number of empty list elements" (RFC 9110 §5.6.1.2).

    White space around a member is SP and HTAB, and nothing else.
    """
    assert Fields((b"Connection", value) for value in values).tokens(b"connection") == members


def test_fields_are_values() -> None:
    """Equal lines make equal fields, with equal hashes; another case makes others."""
    assert Fields(LINES) == Fields(list(LINES))
    assert hash(Fields(LINES)) == hash(Fields(list(LINES)))
    assert Fields(LINES) != Fields((name.lower(), value) for name, value in LINES)
    assert Fields(LINES) != LINES


def test_repr() -> None:
    """A representation shows the lines."""
    assert repr(Fields([(b"A", b"1")])) == "Fields([(b'A', b'1')])"
