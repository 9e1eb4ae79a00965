"""qlog 0.3: what its schema asks for is there, and what qvis looks for in it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.trace.making import BEGAN_S, Wire
from wptproto import ConfigError
from wptproto.trace.events import (
    ChunkSeen,
    ConnectionClosed,
    ContentSeen,
    DynamicTableChanged,
    EndOfInput,
    ExchangeBegun,
    ExchangeEnded,
    FaultHappened,
    FrameSeen,
    H1HeadSeen,
    H1TrailersSeen,
    HandlerBegun,
    HandlerEnded,
    Origin,
    PlaintextSeen,
    ProtocolChosen,
    TlsAgreed,
    TlsFailed,
    Unreadable,
    Violated,
    WindowChanged,
)
from wptproto.trace.qlog import QlogWriter


def checked_events(events: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """Return names and data of events, each of which has what it needs, in the order of their times."""
    times = [event["time"] for event in events]
    assert times == sorted(times)
    for event in events:
        category, _, kind = event["name"].partition(":")
        assert category
        assert kind
        assert isinstance(event["data"], dict)
        if category == "transport":
            header = event["data"]["header"]
            assert header["packet_type"] == "1RTT"
            assert set(header) == {"packet_type", "packet_number"}  # lengths are in raw
        if category == "http" and kind.startswith("frame"):
            assert isinstance(event["data"]["stream_id"], int)
            assert isinstance(event["data"]["frame"]["frame_type"], str)
            for header in event["data"]["frame"].get("headers", ()):
                assert set(header) == {"name", "value"}
        if category == "loglevel":
            assert isinstance(event["data"]["message"], str)
    return [(event["name"], event["data"]) for event in events]


def checked(text: str) -> list[list[tuple[str, Any]]]:
    """Return the events of each trace of a file, which has what the schema asks for."""
    assert "qlog_version" in text[:1024]
    said = json.loads(text)
    assert (said["qlog_version"], said["qlog_format"]) == ("0.3", "JSON")
    for trace in said["traces"]:
        assert trace["vantage_point"]["type"] == "server"
        common = trace["common_fields"]
        assert common["time_format"] == "relative"
        assert common["reference_time"] == BEGAN_S * 1000
        assert all(isinstance(one, str) for one in common["protocol_type"])
        assert trace["events"][0]["time"] == 0
    return [checked_events(trace["events"]) for trace in said["traces"]]


class Qlog:
    """A qlog in the making."""

    def __init__(self, **connection: Any) -> None:
        self.file = io.StringIO()
        self.write = QlogWriter(self.file)
        self.wire = Wire(self.write, **connection)

    def events(self) -> list[tuple[str, Any]]:
        self.write.close()
        (events,) = checked(self.file.getvalue())
        return events[1:]


def test_a_connection() -> None:
    """It begins with who they are, has the octets of both directions, and ends."""
    qlog = Qlog(client=("::1", 5))
    qlog.wire.received(b"ab")
    qlog.wire.sent(b"cde")
    qlog.wire.received(b"f")
    qlog.wire.closed()
    events = qlog.events()
    assert [(name, data.get("header", {}).get("packet_number")) for name, data in events] == [
        ("transport:packet_received", 0),
        ("transport:packet_sent", 0),
        ("transport:packet_received", 1),
        ("connectivity:connection_closed", None),
    ]
    assert events[1][1]["raw"] == {"length": 3, "payload_length": 3}
    trace = json.loads(qlog.file.getvalue())["traces"][0]
    assert trace["events"][0]["data"] == {
        "ip_version": "v6",
        "src_ip": "::1",
        "dst_ip": "127.0.0.1",
        "protocol": "TCP",
        "src_port": 5,
        "dst_port": 8000,
    }
    assert [event["time"] for event in trace["events"]] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("protocol", "is_tls", "told"),
    [("HTTP/2", True, ["TCP", "TLS", "HTTP2"]), ("HTTP/1.1", False, ["TCP", "HTTP1.1"])],
)
def test_protocols(protocol: str, is_tls: bool, told: list[str]) -> None:
    """A trace says what is spoken, from TCP on."""
    qlog = Qlog(is_tls=is_tls)
    qlog.wire(ProtocolChosen, protocol)
    assert qlog.events() == [("loglevel:info", {"message": f"the connection speaks {protocol}"})]
    assert json.loads(qlog.file.getvalue())["traces"][0]["common_fields"]["protocol_type"] == told


def test_frames() -> None:
    """Frames have their type, flags, details and fields; what is wrong with one is a warning."""
    qlog = Qlog()
    fields = ((b":method", b"GET"), (b"x", b"\xff"))
    qlog.wire(FrameSeen, False, "HEADERS", 1, 5, ("END_STREAM",), 1, b"abc", (), fields, None)
    settings = (("HEADER_TABLE_SIZE", 5),)
    qlog.wire(FrameSeen, True, "SETTINGS", 4, 0, (), 0, b"abcdef", settings, None, None)
    said = (("last_stream_id", 0), ("debug", b"\xff"))
    qlog.wire(FrameSeen, True, "GOAWAY", 7, 0, (), 1, b"", said, None, "on a stream (§6.8)")
    (headers, settings_, goaway, warning) = qlog.events()
    assert headers[0] == "http:frame_parsed"
    assert headers[1]["raw"] == {"length": 12, "payload_length": 3}
    assert headers[1]["frame"] == {
        "frame_type": "headers",
        "flags": ["END_STREAM"],
        "headers": [{"name": ":method", "value": "GET"}, {"name": "x", "value": "ÿ"}],
    }
    assert settings_[0] == "http:frame_created"
    assert settings_[1]["frame"]["settings"] == [{"name": "header_table_size", "value": 5}]
    assert goaway[1]["frame"] == {"frame_type": "goaway", "last_stream_id": 0, "debug": "ÿ"}
    assert warning == ("loglevel:warning", {"message": "GOAWAY is wrong: on a stream (§6.8)"})


def test_http_1() -> None:
    """Heads, contents and trailers of HTTP/1.1 are frames of a stream for each exchange."""
    qlog = Qlog()
    qlog.wire(H1HeadSeen, False, 3, b"GET /a HTTP/1.1", ((b"Host", b"a"),))
    qlog.wire(H1HeadSeen, True, 3, b"HTTP/1.1 200 OK", ())
    qlog.wire(ChunkSeen, True, 3, 5, b"")
    qlog.wire(ContentSeen, True, 3, b"Hello")
    qlog.wire(H1TrailersSeen, True, 3, ((b"Sum", b"1"),))
    request, response, _, content, trailers = qlog.events()
    assert request[1]["frame"]["headers"] == [
        {"name": ":method", "value": "GET"},
        {"name": ":path", "value": "/a"},
        {"name": "Host", "value": "a"},
    ]
    assert response[1]["frame"]["headers"] == [{"name": ":status", "value": "200"}]
    assert (content[1]["frame"]["frame_type"], content[1]["length"]) == ("data", 5)
    assert trailers[1]["frame"]["headers"] == [{"name": "Sum", "value": "1"}]


def test_everything_else() -> None:
    """TLS, windows, tables, faults, violations and handlers are there; what others say is not said twice."""
    qlog = Qlog()
    wire = qlog.wire
    wire(TlsAgreed, "TLSv1.3", "AES", "localhost", ("h2",), "h2")
    wire(WindowChanged, 1, True, 5, 4)
    wire(WindowChanged, 1, False, 5, 4)
    wire(DynamicTableChanged, True, "insert", (b"a", b"b"), 34, 1)
    wire(DynamicTableChanged, False, "resize", None, 0, 0)
    wire(FaultHappened, 1, "reset() at response head")
    wire(Violated, 1, "late")
    wire(Unreadable, False, b"x", "no")
    wire(Unreadable, True, b"x", "no")
    wire(TlsFailed, "no")
    wire(EndOfInput)
    wire(HandlerBegun, 1)
    wire(HandlerEnded, 1, 0.0015, None)
    wire(HandlerEnded, 1, 0.0015, "ValueError: no")
    wire(ExchangeBegun, 1, "GET", "/")
    wire(ExchangeEnded, 1, "")
    wire(ExchangeEnded, 1, "reset")
    wire(PlaintextSeen, True, b"x")
    events = qlog.events()
    assert events[0][1]["chosen_alpn"] == "h2"
    assert events[1] == ("http:window_changed", {"stream_id": 1, "owner": "local", "old": 5, "new": 4})
    assert events[2][1]["owner"] == "remote"
    assert events[3][1] == {
        "owner": "local",
        "update_type": "inserted",
        "table_octets": 34,
        "table_entries": 1,
        "entries": [{"name": "a", "value": "b"}],
    }
    assert (events[4][1]["update_type"], events[4][1]["owner"]) == ("resize", "remote")
    assert events[5] == ("simulation:marker", {"type": "fault", "message": "reset() at response head"})
    assert [(name.partition(":")[2], data["message"]) for name, data in events[6:]] == [
        ("warning", "the client's violation: late"),
        ("warning", "what the client sent cannot be read: no"),
        ("warning", "what the server sent cannot be read: no"),
        ("error", "TLS failed: no"),
        ("info", "the client sends no more"),
        ("info", "the handler of exchange 1 begins"),
        ("info", "the handler of exchange 1 returned, after 1.5 ms"),
        ("error", "the handler of exchange 1 raised ValueError: no, after 1.5 ms"),
        ("warning", "exchange 1 was cut off: reset"),
    ]


def test_times_do_not_go_back() -> None:
    """A clock that is set back stands still, for qvis wants events in the order of their times."""
    qlog = Qlog()
    qlog.write(ConnectionClosed(Origin(1, BEGAN_S - 10), "closed"))
    qlog.events()


def test_a_file_is_whole_at_each_flush(tmp_path: Path) -> None:
    """From the beginning on there is a whole qlog; a second close changes nothing."""
    path = tmp_path / "trace.qlog"
    write = QlogWriter(path)
    assert checked(path.read_text()) == []
    for number in (1, 2):
        Wire(write, number=number).closed()
    write.flush()
    assert len(checked(path.read_text())) == 2
    write.close()
    path.unlink()
    write.close()
    assert not path.exists()


def test_a_sequence(tmp_path: Path) -> None:
    """A file .sqlog has each event at once, behind a header, with its connection."""
    path = tmp_path / "trace.sqlog"
    write = QlogWriter(str(path))
    wires = [Wire(write, number=number, client=("127.0.0.1", number)) for number in (1, 2)]
    for wire in wires:
        wire.received(b"x")
    write.flush()
    records = path.read_text().split("\x1e")
    assert records.pop(0) == ""
    assert all(record.endswith("\n") for record in records)
    header, *events = (json.loads(record) for record in records)
    assert (header["qlog_version"], header["qlog_format"]) == ("0.3", "JSON-SEQ")
    assert header["trace"]["vantage_point"]["type"] == "server"
    assert header["trace"]["common_fields"]["time_format"] == "absolute"
    checked_events(events)
    assert events[0]["time"] == BEGAN_S * 1000
    assert [event["group_id"] for event in events] == [
        f"connection {number}: 127.0.0.1 port {number} to 127.0.0.1 port 8000" for number in (1, 2, 1, 2)
    ]
    for wire in wires:
        wire.closed()
        wire.received(b"nobody is left")
    write.close()
    write.close()
    wires[0].received(b"late")
    assert path.read_text().count("\x1e") == 7


def test_a_connection_from_before() -> None:
    """What was not there from its beginning is not there at all."""
    qlog = Qlog()
    Wire(lambda event: None if "Opened" in type(event).__name__ else qlog.write(event), number=2).sent(b"x")
    assert qlog.events() == []


@pytest.mark.parametrize("name", ["trace.qlog", "trace.sqlog"])
def test_a_file_that_cannot_be(tmp_path: Path, name: str) -> None:
    """A path that cannot be written is said at once."""
    with pytest.raises(ConfigError, match=f"{name} cannot be written: No such file"):
        QlogWriter(tmp_path / "nowhere" / name)
