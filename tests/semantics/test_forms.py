"""Urlencoded names and values, and the mapping that they are put into."""

from __future__ import annotations

from typing import cast
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wptproto.semantics.forms import MultiDict, parse_urlencoded


@pytest.mark.parametrize(
    ("octets", "pairs"),
    [
        (b"", []),
        (b"a=1&b=2", [(b"a", b"1"), (b"b", b"2")]),
        (b"a=1&a=2", [(b"a", b"1"), (b"a", b"2")]),
        (b"a", [(b"a", b"")]),
        (b"a=", [(b"a", b"")]),
        (b"=1", [(b"", b"1")]),
        (b"=", [(b"", b"")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b"&&a=1&", [(b"a", b"1")]),
        (b"a+b=c+d", [(b"a b", b"c d")]),
        (b"%2B=%2b", [(b"+", b"+")]),
        (b"%ff%00=%C3%A9", [(b"\xff\x00", b"\xc3\xa9")]),
        (b"%zz=%4&%=%", [(b"%zz", b"%4"), (b"%", b"%")]),
        (b"a;b=1", [(b"a;b", b"1")]),
    ],
)
def test_parse_urlencoded(octets: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    """Blank values count, a lone percent sign stands for itself, every octet survives (URL Standard §5.1)."""
    found = parse_urlencoded(octets)
    assert [(name, value) for name in found for value in found.get_list(name)] == pairs


@given(st.lists(st.tuples(st.binary(), st.binary(min_size=1))))
def test_what_was_encoded_comes_back(pairs: list[tuple[bytes, bytes]]) -> None:
    """Decoding undoes encoding."""
    encoded = "&".join(f"{quote_from_bytes(name)}={quote_from_bytes(value)}" for name, value in pairs)
    found = parse_urlencoded(encoded.encode("ascii"))
    for name, _ in pairs:
        assert found.get_list(name) == [value for other, value in pairs if other == name]


@pytest.fixture
def values() -> MultiDict[int]:
    found: MultiDict[int] = MultiDict()
    for name, value in [(b"a", 1), (b"b", 2), (b"a", 3)]:
        found.add(name, value)
    return found


def test_the_first_value_answers(values: MultiDict[int]) -> None:
    """``[]`` and ``get`` answer the first value of a name."""
    assert values[b"a"] == 1
    assert values.get(b"a") == 1


def test_what_else_a_dict_has_is_the_lists(values: MultiDict[int]) -> None:
    """``items`` and ``values`` have all values of a name, as wptserve's have."""
    assert list(values.items()) == [(b"a", [1, 3]), (b"b", [2])]
    assert list(values.values()) == [[1, 3], [2]]


def test_setting_replaces(values: MultiDict[int]) -> None:
    """What is set is the one value of its name."""
    values[b"a"] = 7
    assert values.get_list(b"a") == [7]


def test_first_last_and_all(values: MultiDict[int]) -> None:
    """The first, the last and all of them can be asked for by name."""
    assert (values.first(b"a"), values.last(b"a"), values.get_list(b"a")) == (1, 3, [1, 3])


def test_names_are_in_the_order_of_their_first_values(values: MultiDict[int]) -> None:
    """As a mapping it has each name once."""
    assert list(values) == list(values.keys()) == [b"a", b"b"]
    assert len(values) == 2
    assert b"a" in values
    assert "a" not in cast("dict[object, object]", values)


def test_a_name_that_is_not_there(values: MultiDict[int]) -> None:
    """Without a default, ``get`` answers None; ``[]``, ``first`` and ``last`` raise KeyError."""
    assert values.get(b"c") is None
    assert values.get(b"c", "d") == "d"
    assert values.first(b"c", None) is None
    assert values.last(b"c", 0) == 0
    assert values.get_list(b"c") == []
    for look_up in (values.__getitem__, values.first, values.last):
        with pytest.raises(KeyError):
            look_up(b"c")


def test_a_list_of_values_is_a_copy(values: MultiDict[int]) -> None:
    """What a handler does to it stays with the handler."""
    values.get_list(b"a").clear()
    assert values.get_list(b"a") == [1, 3]


def test_repr(values: MultiDict[int]) -> None:
    """A representation shows the values."""
    assert repr(values) == "{b'a': [1, 3], b'b': [2]}"


# --- multipart -----------------------------------------------------------------------------------
