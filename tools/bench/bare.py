"""
The libraries by themselves: requests a second that h2 and h11 take and answer, without sockets.

    python -m tools.bench.bare h2|h11 SECONDS STREAMS

Only the time inside the library counts; the requests are made beforehand, a batch at a time.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable

import h2.config
import h2.connection
import h2.events
import h2.settings
import h11

from tools.bench.served.answers import TEXT

FIELDS = [
    (b":method", b"GET"),
    (b":path", b"/text"),
    (b":scheme", b"https"),
    (b":authority", b"127.0.0.1:8443"),
]
AGENT = (b"user-agent", b"h2load nghttp2/1.52.0")
ANSWER = [("date", "Sun, 22 Nov 2026 08:00:00 GMT"), ("content-type", "text/plain"), ("content-length", "13")]


def h2_batches(streams: int) -> tuple[Callable[[bytes], bytes], Iterable[bytes]]:
    """Return a server, and endless batches of requests for it, so many in each."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding=None))
    client.initiate_connection()
    client.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: 2**30})
    client.increment_flow_control_window(2**31 - 1 - 65535)
    server.initiate_connection()
    server.receive_data(client.data_to_send())

    def serve(data: bytes) -> bytes:
        for event in server.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                server.send_headers(event.stream_id, [(":status", "200"), *ANSWER])
                server.send_data(event.stream_id, TEXT, end_stream=True)
        return server.data_to_send()

    def batches() -> Iterable[bytes]:
        stream_id = 1
        while True:
            octets = bytearray()
            for _ in range(streams):
                block = client.encoder.encode([*FIELDS, AGENT])
                octets += len(block).to_bytes(3, "big") + b"\x01\x05" + stream_id.to_bytes(4, "big") + block
                stream_id += 2
            yield bytes(octets)

    return serve, batches()


def h11_batches(_: int) -> tuple[Callable[[bytes], bytes], Iterable[bytes]]:
    """Return a server, and the same request for it for ever."""
    server = h11.Connection(h11.SERVER)

    def serve(data: bytes) -> bytes:
        server.receive_data(data)
        out = b""
        while (event := server.next_event()) is not h11.NEED_DATA and event is not h11.PAUSED:
            if isinstance(event, h11.EndOfMessage):
                for said in (
                    h11.Response(status_code=200, headers=ANSWER),
                    h11.Data(TEXT),
                    h11.EndOfMessage(),
                ):
                    out += server.send(said) or b""
                server.start_next_cycle()
        return out

    def batches() -> Iterable[bytes]:
        while True:
            yield b"GET /text HTTP/1.1\r\nHost: 127.0.0.1:8000\r\n\r\n"

    return serve, batches()


def rate(library: str, seconds: float, streams: int) -> float:
    """Return requests a second."""
    serve, batches = (h2_batches if library == "h2" else h11_batches)(streams)
    each = streams if library == "h2" else 1
    spent, requests = 0.0, 0
    for batch in batches:
        begun = time.perf_counter()
        serve(batch)
        spent += time.perf_counter() - begun
        requests += each
        if spent > seconds:
            break
    return requests / spent


if __name__ == "__main__":
    print(rate(sys.argv[1], float(sys.argv[2]), int(sys.argv[3])))
