"""How long it takes, how much it is, and in which pieces it comes."""

from __future__ import annotations

import json
import socket
import struct
import threading

import pytest

from tests.demo.conftest import Told
from tests.helpers.peers import Kind, Peer, connect
from tests.helpers.waiting import assert_soon
from wptproto import Server
from wptproto.exchange.writer import ResponseWriter

SEEDED = bytes.fromhex("c5d71484f8cf9bf4b76f")  # what httpbin's own tests have for /bytes/10?seed=0


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_delay(peer: Peer, told: Told, pauses: list[float], method: str) -> None:
    """/delay answers later, and tells what the request was."""
    answer = told(peer.request("/delay/1.5?a=1", method=method, content=b"x" if method == "POST" else None))
    assert pauses == [1.5]
    assert answer["args"] == {"a": "1"}
    assert answer["data"] == ("x" if method == "POST" else "")
    assert sorted(answer) == ["args", "data", "files", "form", "headers", "origin", "url"]


def test_delay_of_head(peer: Peer, pauses: list[float]) -> None:
    """HEAD waits as long."""
    assert peer.request("/delay/2", method="HEAD").content == b""
    assert pauses == [2]


def test_delay_is_bounded(plain: Peer, pauses: list[float]) -> None:
    """Whoever wants to wait for longer than 10 seconds waits for 10."""
    assert plain.request("/delay/999999999999").status == 200
    assert pauses == [10]


@pytest.mark.parametrize("path", ["/delay/10", "/drip?delay=10", "/drip?duration=60&numbytes=2"])
def test_leaving(site: Server, kind: Kind, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """A client that leaves is not waited for any longer."""
    entered, answers = threading.Event(), []
    pause = ResponseWriter.pause

    def observed(writer: ResponseWriter, seconds: float) -> object:
        if not seconds:
            return pause(writer, seconds)
        entered.set()
        answers.append(pause(writer, seconds))
        return answers[-1]

    monkeypatch.setattr(ResponseWriter, "pause", observed)
    with connect(site, kind) as peer:
        peer.send_request(path)
        assert entered.wait(15)
        peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert_soon(lambda: answers == [False], within_s=8)


def test_drip(peer: Peer, pauses: list[float]) -> None:
    """/drip sends octets one by one, over a time, behind a delay, with a status and the length."""
    answer = peer.request("/drip?numbytes=5&duration=2&delay=1&code=500")
    assert (answer.status, answer.content, answer.complete) == (500, b"*****", True)
    assert answer.get("content-length") == "5"
    assert answer.get("content-type") == "application/octet-stream"
    assert pauses == [1, 0.5, 0.5, 0.5, 0.5]


def test_drip_comes_one_by_one(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of its octets leaves when its time has come."""
    go_on = threading.Semaphore(0)
    monkeypatch.setattr(ResponseWriter, "pause", lambda _, seconds: seconds == 0 or go_on.acquire(timeout=15))
    peer.send_request("/drip?numbytes=3")
    for _ in range(2):
        assert peer.read_some() == b"*"
        go_on.release()
    answer = peer.read_answer()
    assert (answer.content, answer.complete) == (b"***", True)


@pytest.mark.parametrize(
    ("query", "length", "expected"),
    [
        ("", 10, [0, *9 * [pytest.approx(2 / 9)]]),
        ("?NumBytes=1", 1, [0]),
        ("?numbytes=7&duration=0", 7, [0]),
        ("?numbytes=7&duration=0.002", 7, [0, 0.002]),
        ("?numbytes=2&duration=999&delay=999", 2, [10, 60]),
        ("?numbytes=99999999&duration=0", 10 * 1024 * 1024, [0]),
    ],
)
def test_drip_by_default(
    plain: Peer, pauses: list[float], query: str, length: int, expected: list[float]
) -> None:
    """What the query leaves out has defaults; what is too much or too fine has bounds."""
    answer = plain.request("/drip" + query)
    assert (answer.status, answer.content) == (200, length * b"*")
    assert pauses == expected


@pytest.mark.parametrize("code", [204, 304])
def test_drip_without_content(peer: Peer, pauses: list[float], code: int) -> None:
    """A status that has no content has none here."""
    answer = peer.request(f"/drip?code={code}")
    assert (answer.status, answer.content, answer.complete) == (code, b"", True)
    assert answer.get("content-length") is None


def test_drip_of_head(peer: Peer, pauses: list[float]) -> None:
    """HEAD waits for the head, and has its length."""
    answer = peer.request("/drip?delay=1", method="HEAD")
    assert (answer.get("content-length"), answer.content, answer.complete) == ("10", b"", True)
    assert pauses == [1]


def test_range(peer: Peer) -> None:
    """/range is letters, the same every time, of which ranges can be had."""
    answer = peer.request("/range/30")
    assert (answer.status, answer.text) == (200, "abcdefghijklmnopqrstuvwxyzabcd")
    assert answer.get("etag") == '"range30"'
    assert answer.get("accept-ranges") == "bytes"
    assert answer.get("content-length") == "30"
    assert answer.get("content-range") is None


@pytest.mark.parametrize(
    ("field", "place", "text"),
    [
        ("bytes=0-15", "0-15", "abcdefghijklmnop"),
        ("bytes=20-", "20-25", "uvwxyz"),
        ("bytes=-5", "21-25", "vwxyz"),
        ("bytes=10-24", "10-24", "klmnopqrstuvwxy"),
        ("bytes=20-40", "20-25", "uvwxyz"),
    ],
)
def test_part_of_a_range(peer: Peer, field: str, place: str, text: str) -> None:
    """Range is answered with the part that there is."""
    answer = peer.request("/range/26?chunk_size=4", headers=[("range", field)])
    assert (answer.status, answer.text, answer.complete) == (206, text, True)
    assert answer.get("content-range") == f"bytes {place}/26"
    assert answer.get("content-length") == str(len(text))
    assert answer.get("etag") == '"range26"'


@pytest.mark.parametrize("field", ["bytes=10-5", "bytes=32-40", "bytes=x"])
def test_no_such_range(peer: Peer, field: str) -> None:
    """A range that there is not is 416, with the length that there is."""
    answer = peer.request("/range/26", headers=[("range", field)])
    assert (answer.status, answer.get("content-range")) == (416, "bytes */26")


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", [("range", "bytes=0-1, 4-5")]),
        ("GET", [("range", "letters=0-1")]),
        ("GET", [("range", "bytes=0-1"), ("if-range", '"other"')]),
        ("HEAD", [("range", "bytes=0-1")]),
    ],
)
def test_no_range_is_meant(plain: Peer, method: str, fields: list[tuple[str, str]]) -> None:
    """Several ranges, another unit, another version or another method than GET: it is the whole."""
    answer = plain.request("/range/26", method=method, headers=fields)
    assert (answer.status, answer.get("content-length")) == (200, "26")


def test_range_of_a_version(plain: Peer) -> None:
    """With the right If-Range it is the part; and who has all of it need not have it again."""
    fields = [("range", "bytes=0-1"), ("if-range", '"range26"')]
    assert plain.request("/range/26", headers=fields).text == "ab"
    assert plain.request("/range/26", headers=[("if-none-match", '"range26"')]).status == 304


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/range/10?duration=5&chunk_size=4", [2, 2, 1]),
        ("/range/10?duration=5", [5]),
        ("/range/10?duration=9999&chunk_size=5", [30, 30]),
        ("/range/10", []),
    ],
)
def test_range_over_time(plain: Peer, pauses: list[float], path: str, expected: list[float]) -> None:
    """It can take its time, each piece as long as it is."""
    assert plain.request(path).text == "abcdefghij"
    assert pauses == expected


def test_stream(peer: Peer, told: Told) -> None:
    """/stream is lines, each of them JSON."""
    answer = peer.request("/stream/3?a=1")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line.pop("id") for line in lines] == [0, 1, 2]
    assert lines == 3 * [told(peer.request("/get?a=1")) | {"url": lines[0]["url"]}]
    assert (answer.get("content-type"), answer.get("content-length")) == ("application/json", None)


@pytest.mark.parametrize(("wanted", "lines"), [("0", 0), ("1000", 100)])
def test_stream_is_bounded(plain: Peer, wanted: str, lines: int) -> None:
    """There are 100 lines at the most."""
    assert len(plain.request(f"/stream/{wanted}").text.splitlines()) == lines


def test_bytes(peer: Peer) -> None:
    """/bytes is octets by chance, or by a seed, and then those that httpbin has for it."""
    assert peer.request("/bytes/10?seed=0").content == SEEDED
    first, second = (peer.request("/bytes/20") for _ in range(2))
    assert len(first.content) == len(second.content) == 20
    assert first.content != second.content
    assert first.get("content-type") == "application/octet-stream"
    assert first.get("content-length") == "20"


def test_stream_bytes(peer: Peer) -> None:
    """/stream-bytes is the same octets, in pieces, without their length."""
    answer = peer.request("/stream-bytes/10?seed=0&chunk_size=4")
    assert answer.content == SEEDED
    assert answer.get("content-length") is None
    assert [len(piece) for piece in answer.pieces] == [4, 4, 2]


@pytest.mark.parametrize("path", ["/bytes/999999", "/stream-bytes/999999"])
def test_bytes_are_bounded(plain: Peer, path: str) -> None:
    """There are 100 KiB at the most."""
    assert len(plain.request(path).content) == 100 * 1024


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/delay/x", "n is a number from 0 on, of which 10 is the most that counts, not 'x'"),
        ("/delay/-1", "n is a number from 0 on, of which 10 is the most that counts, not '-1'"),
        (
            "/drip?numbytes=0",
            "numbytes is a number from 1 on, of which 10485760 is the most that counts, not '0'",
        ),
        (
            "/drip?duration=nan",
            "duration is a number from 0 on, of which 60 is the most that counts, not 'nan'",
        ),
        ("/drip?delay=", "delay is a number from 0 on, of which 10 is the most that counts, not ''"),
        ("/drip?code=100", "code is a number from 200 to 999, not '100'"),
        ("/range/0", "n is a number from 1 to 102400, not '0'"),
        ("/range/102401", "n is a number from 1 to 102400, not '102401'"),
        (
            "/range/1?chunk_size=0",
            "chunk_size is a number from 1 on, of which 102400 is the most that counts, not '0'",
        ),
        ("/stream/x", "n is a number from 0 on, of which 100 is the most that counts, not 'x'"),
        ("/bytes/1.5", "n is a number from 0 on, of which 102400 is the most that counts, not '1.5'"),
        ("/bytes/1?seed=x", "seed is a number from 0 to 999999999999999999, not 'x'"),
        (
            "/stream-bytes/1?chunk_size=x",
            "chunk_size is a number from 1 on, of which 102400 is the most that counts, not 'x'",
        ),
    ],
)
def test_what_makes_no_sense(
    plain: Peer, complaint: Told, pauses: list[float], path: str, expected: str
) -> None:
    """Who asks for what there is not is told what there is, by a 400, at once."""
    answer = plain.request(path)
    assert (answer.status, complaint(answer)) == (400, expected)
    assert pauses == []
