"""Expectations: what a test expects of its client, what is answered, and what it is told otherwise."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.helpers.peers import Answer, Kind, Peer, connect
from wptproto import ConfigError, Request, Response, RouteError, Server, UnmetExpectations
from wptproto.errors import FaultError


@pytest.fixture
def server(certs_dir: Path) -> Iterator[Server]:
    """A server without routes."""
    with Server(certs_dir=certs_dir) as found:
        yield found


@pytest.fixture
def peer(server: Server, kind: Kind) -> Iterator[Peer]:
    """A connection to it, over each protocol."""
    with connect(server, kind) as found:
        yield found


def post(peer: Peer, content: bytes, path: str = "/x", *headers: tuple[str, str]) -> Answer:
    return peer.request(path, method="POST", headers=headers, content=content)


# --- what is answered -------------------------------------------------------------------------


def test_once(server: Server, peer: Peer) -> None:
    """An expected request is answered as was said, once; one more is a mismatch."""
    server.expect("GET", "/x").respond(201, {"A": "b"}, "text")
    answer = peer.request("/x")
    assert (answer.status, answer.get("a"), answer.text, answer.complete) == (201, "b", "text", True)
    server.check()
    again = peer.request("/x")
    assert again.status == 500
    assert "expected once" in again.text
    with pytest.raises(UnmetExpectations, match=r"nobody expected it \(1\)(.|\n)*got one more"):
        server.check()


def test_without_an_answer(server: Server, peer: Peer) -> None:
    """Where nothing was said, it is 200 without content."""
    server.expect()
    assert (peer.request("/any").status, server.mismatches) == (200, [])


def test_several_answers(server: Server, peer: Peer) -> None:
    """Of several answers each is for the next request, and the last for all that follow."""
    server.expect("GET", "/x", times=4).respond(503).respond((299, "Fine")).respond(json={"a": [1]})
    assert [peer.request("/x").status for _ in range(2)] == [503, 299]
    for _ in range(2):
        answer = peer.request("/x")
        assert (answer.text, answer.get("content-type")) == ('{"a": [1]}', "application/json")
    server.check()


def test_any_number(server: Server, peer: Peer) -> None:
    """times=None is any number, none among them."""
    server.expect("GET", "/x", times=None).respond(content=b"x")
    server.expect("GET", "/never", times=None)
    assert [peer.request("/x").text for _ in range(3)] == ["x"] * 3
    server.check()


def test_all_that_can_be_answered(server: Server, peer: Peer) -> None:
    """Interim responses, repeated fields, trailers and a type of one's own for JSON."""
    server.expect("GET", "/x").respond(
        200,
        {"Link": ["</a>", "</b>"], "Content-Type": "text/json"},
        json=None,
        informational=[(103, {"Link": "</c>"}), 102],
        trailers=[("T", "1")],
    )
    answer = peer.request("/x")
    assert answer.text == "null"
    assert answer.get_all("link") == ["</a>", "</b>"]
    assert answer.get_all("content-type") == ["text/json"]
    assert [status for status, _ in answer.informational] == [103, 102]
    assert [(name.lower(), value) for name, value in answer.trailers] == [(b"t", b"1")]


def test_interim_responses_alone(server: Server, peer: Peer) -> None:
    """They come before any response."""
    server.expect().respond(informational=[103], body=bytearray(b"abc"))
    answer = peer.request("/")
    assert (len(answer.informational), answer.content, answer.get("content-length")) == (1, b"abc", "3")


def test_delay(server: Server, peer: Peer) -> None:
    """An answer may come late."""
    server.expect().respond(delay=0.05)
    began_s = time.monotonic()
    assert peer.request("/").status == 200
    assert time.monotonic() - began_s >= 0.05


def test_throttle(server: Server, peer: Peer) -> None:
    """Its content may come slowly, so many octets in a second."""
    server.expect().respond(content=bytes(30), throttle=300)
    began_s = time.monotonic()
    answer = peer.request("/")
    assert (answer.content, answer.get("content-length"), answer.complete) == (bytes(30), "30", True)
    assert time.monotonic() - began_s >= 0.05


def test_throttle_for_who_leaves(server: Server, kind: Kind) -> None:
    """Who does not want the rest does not get it."""
    server.expect().respond(content=bytes(1000), throttle=100)
    with connect(server, kind) as peer:
        peer.send_request("/")
        assert peer.read_some()
    server.wait(lambda record: record.outcome is not None)


def test_head_of_a_throttled_answer(server: Server, peer: Peer) -> None:
    """HEAD has none of the content."""
    server.expect("HEAD").respond(content=bytes(1000), throttle=1)
    assert peer.request("/", method="HEAD").content == b""


@pytest.mark.parametrize("is_async", [False, True])
def test_a_handler(server: Server, peer: Peer, is_async: bool) -> None:
    """A function may answer, as for a route, with what the path matched; plain or async."""

    def plain(request: Request, response: Response) -> str:
        return f"hello {request.route_match['name']}"

    async def asynchronous(request: Request, response: Response) -> str:
        return plain(request, response)

    server.expect("GET", "/{name}", times=2).respond(handler=asynchronous if is_async else plain)
    server.expect("POST", "/{name}", json=1).respond(handler=asynchronous if is_async else plain)
    assert peer.request("/you").text == "hello you"
    assert post(peer, b"1", "/me").text == "hello me"


def test_early(server: Server, peer: Peer) -> None:
    """An answer waits for the request's content, unless it is said to be early."""
    server.expect("POST", "/early").respond(413, early=True)
    server.expect("POST", "/late").respond(200)
    peer.send_request("/early", method="POST", headers=[("Content-Length", "3")], end=False)
    assert peer.read_answer().status == 413


# --- what is expected -------------------------------------------------------------------------


def test_the_first_that_fits(server: Server, peer: Peer) -> None:
    """Of several that take a request the first answers that is not used up, whatever their order of ends."""
    server.expect("GET", "/a").respond(content="1")
    server.expect(["GET", "PUT"], re.compile("/[ab]")).respond(content="2")
    server.expect("*", None, times=None).respond(content="3")
    assert [peer.request(path).text for path in ("/b", "/a", "/a", "/c")] == ["2", "1", "3", "3"]


@pytest.mark.parametrize(
    ("query", "target", "fits"),
    [
        ({"a": "1", "b": ["2", "3"]}, "/x?b=2&a=1&b=3", True),
        ({"a": 1}, "/x?a=1", True),
        ({"ä": "ö"}, "/x?%C3%A4=%C3%B6", True),
        ({"a": re.compile("[0-9]+")}, "/x?a=12", True),
        ({"a": re.compile(b"[0-9]")}, "/x?a=12", False),
        ({"a": lambda text: text > "1"}, "/x?a=2", True),
        ({"a": "1"}, "/x?a=1&c=1", False),
        ({"a": "1"}, "/x", False),
        ({"b": ["2", "3"]}, "/x?b=3&b=2", False),
        ({}, "/x", True),
        ({}, "/x?", True),
        ("a=%31", "/x?a=%31", True),
        ("a=1", "/x?a=%31", False),
    ],
)
def test_queries(server: Server, query: Any, target: str, fits: bool) -> None:
    """A query is all of its names and values, decoded, or as it stands."""
    server.expect("GET", "/x", query=query)
    with connect(server, "h1") as peer:
        assert (peer.request(target).status == 200) == fits


def test_headers_and_cookies(server: Server, peer: Peer) -> None:
    """Fields and cookies may be values, patterns, functions, lists, or not be there; others do not matter."""
    server.expect(
        headers={
            "Accept": "text/html",
            b"x-number": re.compile("[0-9]+"),
            "X-Any": lambda text: "a" in text,
            "X-List": ["1", "2"],
            "X-Joined": "1, 2",
            "X-None": None,
        },
        cookies={"a": "b", "c": None},
    ).respond(204)
    headers = [
        ("accept", "text/html"),
        ("X-Number", "12"),
        ("X-Any", "banana"),
        *(("X-List", value) for value in "12"),
        *(("X-Joined", value) for value in "12"),
        ("Cookie", "a=b; d=e"),
    ]
    lacking = peer.request("/", headers=[("X-None", "1"), ("X-List", "1"), ("Cookie", "c=d")])
    assert lacking.status == 500
    for line in (
        r"header Accept +expected 'text/html' +got nothing",
        r"header x-number +expected /'\[0-9\]\+'/ +got nothing",
        r"header X-List +expected '1', '2' +got '1'",
        r"header X-None +expected nothing +got '1'",
        r"cookie a +expected 'b' +got nothing",
        r"cookie c +expected nothing +got 'd'",
    ):
        assert re.search(line, lacking.text), lacking.text
    assert peer.request("/", headers=headers).status == 204


def test_protocol(server: Server, peer: Peer, kind: Kind) -> None:
    """An expectation may be for one protocol alone."""
    server.expect(protocol="HTTP/2").respond(202)
    server.expect(protocol="HTTP/1.1").respond(201)
    assert peer.request("/").status == (202 if kind in ("h2", "h2c") else 201)


@pytest.mark.parametrize(
    ("expected", "content", "difference"),
    [
        ({"json": {"a": [1, {"b": None}]}}, b'{"a": [1, {"b": null}]}', ""),
        ({"json": {"a": [1, 2]}}, b'{"a": [1, 3]}', "json['a'][1]  expected 2  got 3"),
        ({"json": {"a": 1}}, b'{"b": 1}', "json['a']  expected 1        got nothing"),
        ({"json": [1]}, b"[1, 2]", "json  expected [1]  got [1, 2]"),
        ({"json": True}, b"1", "json  expected True  got 1"),
        ({"json": 1}, b"{", "got no JSON (Expecting"),
        ({"content": b"abc"}, b"abc", ""),
        ({"content": "\u00e4"}, "ä".encode(), ""),
        ({"content": re.compile("a.c")}, b"abd", "content  expected /'a.c'/  got 'abd'"),
        ({"form": {"a": "1", "b": ["2", "3"]}}, b"a=1&b=2&b=3", ""),
        ({"form": {"a": "1"}}, b"a=2&c=3", "form c  expected nothing  got '3'"),
    ],
)
def test_content(server: Server, expected: dict[str, Any], content: bytes, difference: str) -> None:
    """What the content is to be is compared when it is there; a difference is told where it is."""
    server.expect("POST", "/x", **expected).respond(204)
    form = [("Content-Type", "application/x-www-form-urlencoded")] if "form" in expected else []
    with connect(server, "h1") as peer:
        answer = post(peer, content, "/x", *form)
    assert (answer.status == 204) == (not difference)
    assert difference in answer.text


def test_a_file_in_a_form(server: Server, peer: Peer) -> None:
    """A file in multipart content is compared by what is in it."""
    server.expect("POST", "/x", form={"f": "content"}).respond(204)
    content = b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\ncontent\r\n--b--\r\n'
    assert post(peer, content, "/x", ("Content-Type", "multipart/form-data; boundary=b")).status == 204


def test_content_tells_apart(server: Server, peer: Peer) -> None:
    """Of expectations with the same head the content decides; one that has none comes in its turn."""
    server.expect("POST", "/x", json=1).respond(201)
    server.expect("POST", "/x", json=2).respond(202)
    server.expect("POST", "/x").respond(203)
    assert [post(peer, content).status for content in (b"2", b"3", b"1")] == [202, 203, 201]
    server.check()


def test_match(server: Server, peer: Peer) -> None:
    """A function of one's own says whether it is the one, or asserts it, and may read the content."""

    def check(request: Request) -> None:
        assert request.body == b"abc", "not abc"

    server.expect(match=lambda request: request.body == b"x").respond(201)
    server.expect(match=check).respond(202)
    assert post(peer, b"x").status == 201
    lacking = post(peer, b"y")
    assert lacking.status == 500
    assert "not abc" in lacking.text
    assert post(peer, b"abc").status == 202


def test_a_function_that_fails(server: Server, peer: Peer) -> None:
    """An error in a test's own function is the answer, and is held against the test."""

    def fail(text: str) -> bool:
        raise KeyError("on purpose")

    server.expect(headers={"A": fail}, times=None)
    assert "on purpose" in peer.request("/", headers=[("A", "1")]).text
    with pytest.raises(UnmetExpectations, match=r"handlers that failed \(1\)(.|\n)*on purpose"):
        server.check()
    server.check(errors=False)


# --- in order ---------------------------------------------------------------------------------


def test_in_order(server: Server, peer: Peer) -> None:
    """Within in_order() requests have to come in that order; what comes out of turn is told so."""
    with server.in_order():
        server.expect("GET", "/a")
        server.expect("GET", "/b", times=None)
        server.expect("GET", "/c")
    server.expect("GET", "/d")
    assert peer.request("/c").text.count("order  expected behind GET /a  got before it") == 1
    assert [peer.request(path).status for path in ("/d", "/a", "/b", "/b", "/c")] == [200] * 5
    assert "expected before GET /c" in peer.request("/b").text
    assert len(server.mismatches) == 2


def test_orders_within_orders(server: Server, peer: Peer) -> None:
    """One order within another is one of its own, and ends where it ends."""
    with server.in_order():
        server.expect("GET", "/a")
        with server.in_order():
            server.expect("GET", "/x")
        server.expect("GET", "/b")
    assert [peer.request(path).status for path in ("/x", "/b", "/a", "/b")] == [200, 500, 200, 200]


# --- the queue, and routes --------------------------------------------------------------------


def test_the_queue(server: Server, peer: Peer) -> None:
    """Queued answers are for whatever comes, first in, first out; then it is empty, which is told."""
    server.enqueue(201, {"A": "b"}, "1")
    server.enqueue(json=[2])
    assert [peer.request(path).text for path in ("/a", "/b")] == ["1", "[2]"]
    empty = peer.request("/c")
    assert (empty.status, "queue of answers is empty" in empty.text) == (500, True)


def test_expectations_then_queue_then_routes(server: Server, peer: Peer) -> None:
    """Expectations come before the queue, and that before routes."""

    @server.route("/x")
    def route(request: Request, response: Response) -> str:
        return "route"

    server.enqueue(content="queue")
    server.expect("*", "/x").respond(content="expectation")
    assert [peer.request("/x").text for _ in range(4)] == ["expectation", "queue", "route", "route"]
    assert peer.request("/x", method="PUT").text == "route"
    assert peer.request("/y").status == 500
    server.clear()
    assert peer.request("/y").status == 404
    server.check()


def test_routes_behind_content(server: Server, peer: Peer) -> None:
    """Where the content is not the expected one, a route still takes the request, or nobody does."""
    server.route("POST", "/x")(lambda request, response: b"route " + request.body)
    server.expect("POST", "/*", json=1)
    assert post(peer, b"2").text == "route 2"
    assert post(peer, b"2", "/y").status == 500
    assert peer.request("/x").status == 500  # where others would be told 405


def test_a_route_needs_a_path() -> None:
    """One argument is a path."""
    with pytest.raises(RouteError, match="names no path"):
        Server().route("GET")


def test_cleared_while_content_comes(server: Server, peer: Peer) -> None:
    """What is forgotten while it is looked for takes no request, and then nobody expects any."""

    def forget(request: Request) -> bool:
        server.clear()
        return False

    server.expect("POST", "/x", json=1)
    server.expect("POST", "/x", match=forget)
    assert [post(peer, b"2").status for _ in range(2)] == [500, 404]


# --- what came of it --------------------------------------------------------------------------


def test_check(server: Server, peer: Peer) -> None:
    """check() names what did not come, and waits for it, if told to."""
    server.expect("GET", "/a", query={"q": "1"})
    server.expect("POST", times=3, json={"a": 1})
    post(peer, b'{"a": 1}')
    with pytest.raises(UnmetExpectations) as raised:
        server.check(timeout=0.01)
    text = str(raised.value)
    assert "expected, and did not come (2):" in text
    assert "GET /a with query={q: '1'}: 0 of 1 request" in text
    assert "POST any with json={'a': 1}: 1 of 3 requests" in text
    assert isinstance(raised.value, AssertionError)

    def go_on() -> None:
        post(peer, b'{"a": 1}')
        post(peer, b'{"a": 1}')
        peer.request("/a?q=1")

    thread = threading.Thread(target=go_on)
    thread.start()
    server.check(timeout=10)
    thread.join(10)


def test_check_after_the_stop(certs_dir: Path) -> None:
    """A stopped server waits for nothing."""
    with Server(certs_dir=certs_dir) as server:
        server.expect("GET", "/a")
    began_s = time.monotonic()
    with pytest.raises(UnmetExpectations, match="did not come"):
        server.check(timeout=30)
    assert time.monotonic() - began_s < 10


def test_violations_are_held_against_the_test(server: Server) -> None:
    """What the client did wrong fails the check, unless the test expects as much."""
    with connect(server, "h1") as peer:
        peer.sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert peer.sock.recv(1000).startswith(b"HTTP/1.1 400")
        with pytest.raises(UnmetExpectations, match=r"broke the protocol \(1\):\n  connection 1: .*Host"):
            server.check()
    server.check(violations=False)


def test_many_complaints(server: Server) -> None:
    """Of many the first are shown, and the others counted."""
    for number in range(30):
        server.expect("GET", f"/{number}")
    with pytest.raises(UnmetExpectations, match=r"did not come \(30\)(.|\n)*and 10 more"):
        server.check()
    with connect(server, "h1") as peer:
        assert "nor any of 27 expectations that are farther from it" in peer.request("/x").text


def test_what_it_looks_like(server: Server) -> None:
    """Expectations and mismatches say what they are."""
    expectation = server.expect(
        ["GET", "PUT"], re.compile("/x"), protocol="HTTP/2", headers={"A": re.compile("b")}, match=callable
    )
    assert repr(expectation) == (
        "<Expectation GET|PUT re.compile('/x') over HTTP/2 with headers={A: /'b'/}, match=callable: 0 of 1>"
    )
    assert "any number" in repr(server.expect(times=None, form={"a": ["1", "2"]}, content=b"x"))
    with connect(server, "h1") as peer:
        peer.request("/y", method="DELETE")
    (mismatch,) = server.mismatches
    assert str(mismatch) == mismatch.explanation
    assert mismatch.request == "DELETE /y over HTTP/1.1"
    assert [difference.field for difference in mismatch.differences[0][1]] == ["content", "form a"]


# --- errors of use ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda server: server.expect("GET", "/x?a=1"), "say path='/x', query='a=1'"),
        (lambda server: server.expect("GET", "/{"), "lone '{'"),
        (lambda server: server.expect("GET", 1), "path is a pattern"),
        (lambda server: server.expect("GET", re.compile(b"x")), "path is a pattern"),
        (lambda server: server.expect(times=0), "from 1 on"),
        (lambda server: server.expect(times=True), "from 1 on"),
        (lambda server: server.expect(protocol="h2"), "HTTP/1.1 or HTTP/2"),
        (lambda server: server.expect().respond(200).respond(200), "say times=2"),
        (lambda server: server.enqueue(content="", json=1), "content and json"),
        (lambda server: server.enqueue(content={"a": 1}), "json= takes a dict"),
        (lambda server: server.enqueue(json=object()), "cannot be said in JSON"),
        (lambda server: server.enqueue("200"), "status is a code, or a code and a reason phrase, not '200'"),
        (lambda server: server.enqueue((200, 5)), "status is a code, or a code and a reason phrase"),
        (lambda server: server.enqueue(True), "status is a code"),
        (lambda server: server.enqueue(103), "say informational=[103]"),
        (lambda server: server.enqueue(informational=[200]), "no interim response"),
        (lambda server: server.enqueue(informational=103), "informational is a list of statuses"),
        (lambda server: server.enqueue(informational=[(103, "Link")]), "informational: say a mapping"),
        (lambda server: server.enqueue(headers="X-A: b"), "headers: say a mapping, or a list of names and"),
        (lambda server: server.enqueue(trailers=3), "trailers: say a mapping"),
        (lambda server: server.expect(7), "method is a name, or several, not 7"),
        (lambda server: server.expect(headers=["a"]), "headers is a mapping of names to values, not ['a']"),
        (lambda server: server.enqueue(delay=float("nan")), "delay is a number of seconds, not nan"),
        (lambda server: server.enqueue(delay=-1), "delay is a number of seconds"),
        (lambda server: server.enqueue(throttle=0), "throttle is a number of octets per second, above 0"),
        (lambda server: server.enqueue(content=["a"], throttle=1), "throttle and trailers need content"),
        (lambda server: server.enqueue(201, handler=print), "a handler says all of the answer"),
        (lambda server: setattr(server, "speaks", ["h3"]), "speaks h1, h1s, h2, h2c"),
        (lambda server: setattr(server, "speaks", []), "are no part"),
    ],
)
def test_errors_of_use(ask: Callable[[Server], object], reason: str) -> None:
    """What makes no sense is refused when it is said, in a sentence."""
    with pytest.raises(ConfigError, match=re.escape(reason)):
        ask(Server())


def test_a_protocol_that_is_not_spoken() -> None:
    """Nothing can come over what the server does not speak."""
    server = Server(http_port=None, https_port=None, h2_port=0)
    assert server.speaks == {"h2"}
    with pytest.raises(ConfigError, match=re.escape("does not speak HTTP/1.1")):
        server.expect(protocol="HTTP/1.1")


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, {"h1", "h1s", "h2", "h2c"}),
        ({"https_port": None}, {"h1", "h2c"}),
        ({"http_port": None, "alpn": ["http/1.1"]}, {"h1s"}),
        ({"http_port": None, "alpn": []}, {"h1s"}),
        ({"http_port": None, "alpn": ["h2"]}, {"h2"}),
    ],
)
def test_what_is_spoken(settings: dict[str, Any], kinds: set[str]) -> None:
    """A server knows what its ports can speak, and a test may narrow it."""
    server = Server(**settings)
    assert server.speaks == kinds
    server.speaks = [next(iter(server.speaks))]
    assert len(server.speaks) == 1


# --- faults -----------------------------------------------------------------------------------


def test_faults_are_checked_when_said() -> None:
    """A fault without a meaning over what the request may come over is refused."""
    server = Server()
    with pytest.raises(FaultError, match="say protocol='HTTP/2'"):
        server.expect().fault("goaway")
    with pytest.raises(FaultError, match=r"no meaning over HTTP/1\.1"):
        server.expect(protocol="HTTP/1.1").fault("reset_stream")
    server.expect(protocol="HTTP/2").fault("goaway").fault("reset", at="end")
    server.expect().fault("no_close_notify")
    server.speaks = ["h2c"]
    server.expect().fault("goaway")
    server.enqueue().fault("goaway", "CANCEL")
    with pytest.raises(FaultError, match="no meaning in the clear"):
        server.expect().fault("no_close_notify")


def test_faults_that_come_too_late() -> None:
    """Nor can a fault happen before it is known which request it is."""
    server = Server()
    with pytest.raises(FaultError, match="comes before any request"):
        server.expect().fault("close", at="accepted")
    with pytest.raises(FaultError, match="expect nothing of it"):
        server.expect(json=1).fault("close", at="request_head")
    server.expect(json=1).fault("close", at="response_head")


def test_a_fault_where_the_content_decides(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is the handler that says what is to go wrong, as it does for itself."""
    said: list[Any] = []
    monkeypatch.setattr(Response, "fault", lambda self, fault: said.append(fault), raising=False)
    server.expect("POST", "/x", json=1).fault("close", at="end")
    with connect(server, "h1") as peer:
        assert post(peer, b"1").status == 200
    assert [str(fault) for fault in said] == ["close() at end"]


def test_two_at_once() -> None:
    """Of two requests at once that one expectation would take, the second is for the next."""
    server = Server()
    first = server.expect().respond(201)
    second = server.expect().respond(202)

    def takes_head(request: Request) -> bool:
        first.count = 1  # another thread was quicker
        return True

    first.matcher.takes_head = takes_head  # type: ignore[method-assign]
    request: Any = SimpleNamespace(method="GET", path="/", route_match={})
    found: Any = server._find_first(request, lambda request: None)
    assert found.said.status == 202
    assert (first.count, second.count) == (1, 1)


def test_a_mismatch_that_is_none_any_more() -> None:
    """What fits by the time that it is explained is said to."""
    server = Server()
    expectation = server.expect()
    expectation.matcher.takes_head = lambda request: False  # type: ignore[method-assign]
    request: Any = SimpleNamespace(
        method="GET", path="/", request_path="/", protocol_version="HTTP/1.1", route_match={}
    )
    server._find_first(request, lambda request: None)
    assert "by the time this was looked at again" in server.mismatches[0].explanation


def test_a_plan() -> None:
    """What is to go wrong with an answer is there when its request's head has come."""
    server = Server()
    found: list[Any] = []
    expectation = server.expect(times=2).fault("close").respond(200).respond(201).fault("truncate", octet=3)
    request: Any = None
    for _ in range(2):
        answer = expectation.claim()
        assert answer is not None
        found.append([fault.effect.word() for fault in answer.plan(request)])
    assert found == [["close"], ["truncate"]]
    assert expectation.claim() is None
