"""Cookies that clients send, and things that are none."""

from __future__ import annotations

import pytest

from wptproto.semantics.cookies import Cookies, CookieValue, parse_cookies


def shown(octets: bytes) -> list[tuple[bytes, bytes]]:
    cookies = parse_cookies(octets)
    return [(name, cookies[name].value) for name in cookies]


@pytest.mark.parametrize(
    ("octets", "pairs"),
    [
        (b"", []),
        (b"a=1", [(b"a", b"1")]),
        (b"a=1; b=2", [(b"a", b"1"), (b"b", b"2")]),
        (b"a=1;b=2;", [(b"a", b"1"), (b"b", b"2")]),
        (b" a = 1 ;\tb=2 ", [(b"a", b"1"), (b"b", b"2")]),
        (b"a=", [(b"a", b"")]),
        (b"a=b=c", [(b"a", b"b=c")]),
        (b'a="x y"; b=2', [(b"a", b'"x y"'), (b"b", b"2")]),
        (b'a="x;\\"y"; b=2', [(b"a", b'"x;\\"y"'), (b"b", b"2")]),
        (b'a="x; b=2', [(b"a", b'"x'), (b"b", b"2")]),
        (b'a="x"y; b=2', [(b"a", b'"x"y'), (b"b", b"2")]),
        (b"a=1 2, 3", [(b"a", b"1 2, 3")]),
        (b'a/b={"x":[1]}; c', [(b"a/b", b'{"x":[1]}')]),
        (b"\xc3\xa9=\xff\xfe", [(b"\xc3\xa9", b"\xff\xfe")]),
        (b"A=1; a=2", [(b"A", b"1"), (b"a", b"2")]),
    ],
)
def test_names_and_values(octets: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    """Names and values are octets, without the blanks around them; quotes belong to the value."""
    assert shown(octets) == pairs


@pytest.mark.parametrize("nonsense", [b"a", b"=1", b"=", b";", b" ", b"$a=1", b"$", b"path=/", b"secure"])
def test_a_cookie_that_is_no_cookie_is_passed_over(nonsense: bytes) -> None:
    """What is no cookie takes none of the others with it, and is no error."""
    assert shown(nonsense) == []
    assert shown(nonsense + b"; b=2") == [(b"b", b"2")]
    assert shown(b"b=2; " + nonsense) == [(b"b", b"2")]


def test_two_of_one_name() -> None:
    """Of two cookies of one name there is the last."""
    cookies = parse_cookies(b"a=1; b=2; a=3")
    assert [cookie.value for cookie in cookies.get_list(b"a")] == [b"3"]
    assert cookies.first(b"a") == cookies[b"a"] == b"3"


def test_no_such_cookie() -> None:
    """Without a default, ``get`` answers None; ``[]`` and ``first`` raise KeyError."""
    cookies = parse_cookies(b"a=1")
    assert cookies.get(b"b") is None
    assert cookies.first(b"b", None) is None
    assert cookies.get_list(b"b") == []
    assert b"b" not in cookies
    for look_up in (cookies.__getitem__, cookies.first):
        with pytest.raises(KeyError):
            look_up(b"b")


def test_of_several_values_the_last_answers() -> None:
    """Where values were added by hand, ``[]`` is the last and ``first`` the first."""
    cookies = Cookies()
    cookies.add(b"a", CookieValue("a", b"1"))
    cookies.add(b"a", CookieValue("a", b"2"))
    assert (cookies[b"a"].value, cookies.first(b"a").value) == (b"2", b"1")


def test_a_cookie_compares_by_its_value() -> None:
    """It equals octets, and other cookies, that are its value; text is no octets."""
    cookie = parse_cookies(b"a=ham")[b"a"]
    assert cookie == b"ham"
    assert cookie == CookieValue("b", b"ham")
    assert cookie != b"eggs"
    assert cookie != "ham"
    assert cookie != CookieValue("a", b"eggs")
    assert hash(cookie) == hash(b"ham")


def test_a_plain_cookie_has_no_attributes() -> None:
    """Key and value are there, everything else is empty."""
    cookie = parse_cookies(b"\xe9=1")[b"\xe9"]
    assert (cookie.key, cookie.value) == ("\xe9", b"1")
    assert not any(
        getattr(cookie, name)
        for name in [
            "comment",
            "domain",
            "expires",
            "httponly",
            "max_age",
            "path",
            "samesite",
            "secure",
            "version",
        ]
    )
    assert str(cookie) == repr(cookie) == "\xe9=1"


def test_attributes() -> None:
    """Behind a cookie, an attribute's name makes it that cookie's attribute (RFC 2109 §4.3.4)."""
    cookies = parse_cookies(
        b'$Version=1; a=1; $Path="/x"; domain=d; secure; HttpOnly; path; $Port=80; max-age=5;'
        b" expires=Wed, 09-Jun-2021 10:18:14 GMT; b=2; secure=yes"
    )
    cookie = cookies[b"a"]
    assert (cookie.path, cookie.domain, cookie.max_age, cookie.version) == ("/x", "d", "5", "")
    assert (cookie.secure, cookie.httponly) == (True, True)
    assert str(cookie) == (
        "a=1; Domain=d; expires=Wed, 09-Jun-2021 10:18:14 GMT; HttpOnly; Max-Age=5; Path=/x; Secure"
    )
    assert list(cookies) == [b"a", b"b"]
    assert cookies[b"b"].secure == "yes"
