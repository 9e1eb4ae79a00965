"""QlogWriter: a trace as qvis loads it."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from wptproto.errors import ConfigError
from wptproto.trace import events as seen
from wptproto.trace.events import Origin, TraceEvent
from wptproto.trace.qlog import QlogWriter

BEGAN = Origin(1, 1_700_000_000.0)
LATER = Origin(2, 1_700_000_000.0125)


def frame(**given: Any) -> seen.FrameSeen:
    """Return a frame, HEADERS of a request where nothing else is said."""
    said: dict[str, Any] = {
        "origin": LATER,
        "sent": False,
        "name": "HEADERS",
        "kind": 1,
        "flags": 0x5,
        "flag_names": ("END_STREAM", "END_HEADERS"),
        "stream_id": 1,
        "payload": b"12345",
        "details": (),
        "fields": ((b":path", b"/\xff"),),
        "error": None,
    }
    return seen.FrameSeen(**{**said, **given})


def records(*events: TraceEvent) -> list[dict[str, Any]]:
    """Return the records of a file, each of them between a separator and a line feed (RFC 7464 §2.2)."""
    file = io.StringIO()
    writer = QlogWriter(file)
    for event in events:
        writer(event)
    writer.close()
    first, *found = file.getvalue().split("\x1e")
    assert first == ""
    assert all(one.endswith("}\n") for one in found)
    return [json.loads(one) for one in found]


def only(event: TraceEvent) -> tuple[str, dict[str, Any]]:
    """Return name and data of the one record that an event makes."""
    _, record = records(event)
    assert set(record) == {"time", "name", "group_id", "data"}
    return record["name"], record["data"]


def test_the_header_is_what_the_schema_wants() -> None:
    """Version, format, and one trace with its vantage point and common fields; no events beside them."""
    (header,) = records()
    assert header["qlog_version"] == "0.3"
    assert header["qlog_format"] == "JSON-SEQ"
    assert set(header["trace"]) <= {"title", "description", "configuration", "common_fields", "vantage_point"}
    assert header["trace"]["vantage_point"]["type"] == "server"
    assert "events" not in header["trace"]


def test_loaders_find_the_format_at_the_beginning() -> None:
    """They look at the first 1024 characters."""
    file = io.StringIO()
    QlogWriter(file).close()
    assert '"qlog_version":"0.3","qlog_format":"JSON-SEQ"' in file.getvalue()[:1024]


def test_times_are_milliseconds_since_the_first_event() -> None:
    """The reference is there as milliseconds since 1970; each event says of which connection it is."""
    header, first, second = records(seen.ProtocolChosen(BEGAN, "HTTP/2"), seen.EndOfInput(LATER))
    common = header["trace"]["common_fields"]
    assert (common["time_format"], common["reference_time"]) == ("relative", 1_700_000_000_000.0)
    assert (first["time"], first["group_id"]) == (0.0, "1")
    assert (second["time"], second["group_id"]) == (12.5, "2")


def test_octets_are_packets() -> None:
    """They are numbered for each connection and direction, as qvis wants it of packets."""
    events = [seen.OctetsSeen(LATER, sent, b"12345") for sent in (True, False, True)]
    found = [(one["name"], one["data"]) for one in records(*events)[1:]]
    raw = {"length": 25, "payload_length": 5}
    assert found == [
        (f"transport:packet_{name}", {"header": {"packet_type": "1RTT", "packet_number": number}, "raw": raw})
        for name, number in (("sent", 0), ("received", 0), ("sent", 1))
    ]


def test_a_frame_says_all_that_is_in_it() -> None:
    """Fields are in order; octets are characters each."""
    name, data = only(frame(details=(("weight", 16),)))
    assert name == "http2:frame_parsed"
    assert data == {
        "stream_id": 1,
        "frame": {
            "frame_type": "headers",
            "byte_length": 5,
            "flags": ["END_STREAM", "END_HEADERS"],
            "stream_end": True,
            "weight": 16,
            "headers": [{"name": ":path", "value": "/ÿ"}],
        },
        "header_length": 9,
        "payload_length": 5,
    }


def test_frames_by_their_names() -> None:
    """Types have the names of qvis; one that nobody knows is unknown, with its number."""

    def said(**given: Any) -> dict[str, Any]:
        found: dict[str, Any] = only(frame(fields=None, flags=0, flag_names=(), sent=True, **given))[1][
            "frame"
        ]
        return found

    assert said()["headers"] == []  # the block goes on
    settings = said(name="SETTINGS", kind=4, details=(("ENABLE_PUSH", 0), ("ENABLE_PUSH", 1)))
    assert settings["settings"] == [{"name": "ENABLE_PUSH", "value": 0}, {"name": "ENABLE_PUSH", "value": 1}]
    assert (
        said(name="RST_STREAM", kind=3, details=(("error_code", "CANCEL"),))["frame_type"] == "reset_stream"
    )
    goaway = said(name="GOAWAY", kind=7, details=(("debug", b"why"),), error="wrong")
    assert (goaway["frame_type"], goaway["debug"], goaway["error"]) == ("go_away", "why", "wrong")
    assert said(name="DATA", kind=0)["stream_end"] is False
    assert said(name="0x42", kind=0x42)["frame_type_value"] == 0x42
    assert only(frame(sent=True))[0] == "http2:frame_created"


def test_the_preface_is_a_frame_without_a_header() -> None:
    """So that lengths sum up."""
    name, data = only(seen.PrefaceSeen(LATER))
    assert name == "http2:frame_parsed"
    assert (data["frame"]["frame_type"], data["header_length"], data["payload_length"]) == ("magic", 0, 24)


def test_parts_of_http1_messages() -> None:
    """They are told as frames are, of the request that they belong to."""
    line = (b"Host", b"a")
    for event, expected in (
        (
            seen.H1HeadSeen(LATER, False, 2, b"GET / HTTP/1.1", (line,)),
            {"frame_type": "headers", "line": "GET / HTTP/1.1", "headers": [{"name": "Host", "value": "a"}]},
        ),
        (seen.ContentSeen(LATER, False, 2, b"abc"), {"frame_type": "data", "byte_length": 3}),
        (seen.ChunkSeen(LATER, False, 2, 3, b";x"), {"frame_type": "chunk", "size": 3, "extensions": ";x"}),
        (seen.H1TrailersSeen(LATER, False, 2, ()), {"frame_type": "trailers", "headers": []}),
    ):
        assert only(event) == ("http:frame_parsed", {"stream_id": 2, "frame": expected})
        assert only(event._replace(sent=True))[0] == "http:frame_created"


def test_connections_begin_and_end() -> None:
    """Addresses, and what TLS has agreed on, by the names of the schema."""
    name, data = only(seen.ConnectionOpened(LATER, ("::1", 1), ("::1", 2), True))
    assert name == "connectivity:connection_started"
    assert (data["ip_version"], data["src_port"], data["dst_port"], data["is_tls"]) == ("v6", 1, 2, True)
    assert (
        only(seen.ConnectionOpened(LATER, ("127.0.0.1", 1), ("127.0.0.1", 2), True))[1]["ip_version"] == "v4"
    )
    assert only(seen.ConnectionClosed(LATER, "closed"))[1] == {"owner": "local", "reason": "closed"}
    agreed = seen.TlsAgreed(LATER, "TLSv1.3", "TLS_AES_128_GCM_SHA256", "a.localhost", ("h2",), "h2")
    assert only(agreed) == (
        "security:tls_agreed",
        {
            "version": "TLSv1.3",
            "server_name": "a.localhost",
            "alpn_offered": ["h2"],
            "tls_cipher": "TLS_AES_128_GCM_SHA256",
            "alpn": "h2",
        },
    )


def test_fields_of_a_block_that_goes_on_stand_at_its_end() -> None:
    """CONTINUATION has them, then; a PING has none."""
    said = only(frame(name="CONTINUATION", kind=9, flags=0x4))[1]["frame"]
    assert said["headers"] == [{"name": ":path", "value": "/ÿ"}]
    assert "headers" not in only(frame(name="PING", kind=6, fields=None))[1]["frame"]


def test_what_no_schema_has_is_in_our_category() -> None:
    """By the name of the event, with its attributes."""
    assert only(seen.DynamicTableChanged(LATER, True, "insert", (b"a", b"b"), 34, 1)) == (
        "wptproto:dynamic_table_changed",
        {"sent": True, "change": "insert", "line": ["a", "b"], "octets": 34, "entries": 1},
    )
    assert only(seen.HandlerEnded(LATER, 1, 0.5, None))[0] == "wptproto:handler_ended"


def test_octets_of_the_protocol_are_not_there_twice() -> None:
    """They are all in frames and messages."""
    assert len(records(seen.PlaintextSeen(LATER, True, b"x"))) == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The error is the caller's."""
    with pytest.raises(ConfigError, match="cannot be written"):
        QlogWriter(tmp_path / "none" / "x.qlog")
