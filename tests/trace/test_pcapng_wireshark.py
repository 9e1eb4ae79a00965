"""What Wireshark makes of a trace in pcapng: it is opened by tshark, which is that without windows."""

from __future__ import annotations

import itertools
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import h2.config
import h2.connection

from tests.helpers.programs import needs
from tests.trace.making import Wire
from wptproto import certs
from wptproto.trace.events import EndOfInput, FaultHappened, TlsAgreed, TraceEvent
from wptproto.trace.pcapng import PcapngWriter

TSHARK = shutil.which("tshark") or "tshark"

pytestmark = needs("tshark")

REQUEST = b"GET /hello?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nHello"


def shark(path: Path, *arguments: str) -> list[str]:
    """Return the lines that tshark prints of a file."""
    run = [TSHARK, "-n", "-r", str(path), *arguments]
    done = subprocess.run(run, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.splitlines()


def complaints(path: Path) -> list[str]:
    """Return what tshark finds wrong with IP and TCP in a file."""
    checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    # Checksums are bad as 0; what is of expert information are warnings (0x00600000) and errors.
    wrong = (
        "(tcp.analysis.flags and not tcp.analysis.reused_ports) or tcp.checksum.status == 0"
        " or ip.checksum.status == 0 or _ws.malformed"
        " or _ws.expert.severity >= 0x00600000"
    )
    return shark(path, *checks, "-Y", wrong)


def h2_octets() -> list[tuple[bool, bytes]]:
    """Return a connection of HTTP/2: whether the server sent, and what."""
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    said: list[tuple[bool, bytes]] = []

    def pass_on() -> None:
        for sent, one, other in ((False, client, server), (True, server, client)):
            octets = one.data_to_send()
            if octets:
                other.receive_data(octets)
                said.append((sent, octets))

    client.initiate_connection()
    server.initiate_connection()
    pass_on()
    request = [(":method", "GET"), (":scheme", "https"), (":authority", "localhost"), (":path", "/hello")]
    client.send_headers(1, request, end_stream=True)
    pass_on()
    server.send_headers(1, [(":status", "200"), ("content-type", "text/plain")])
    server.send_data(1, b"Hello", end_stream=True)
    pass_on()
    pass_on()
    return said


def carry_over_tls(
    sink: Callable[[TraceEvent], object],
    number: int,
    directory: Path,
    said: list[tuple[bool, bytes]],
    alpn: str,
    version: ssl.TLSVersion,
    key_log: Path,
) -> None:
    """Carry octets over TLS, in which the client has its first ones go with the end of its handshake."""
    made = certs.ensure(directory)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    context.set_alpn_protocols([alpn])
    context.maximum_version = version
    context.keylog_filename = str(key_log)
    theirs = ssl.create_default_context(cafile=made.ca)
    theirs.set_alpn_protocols([alpn])
    c_in, c_out, s_in, s_out = (ssl.MemoryBIO() for _ in range(4))
    client = theirs.wrap_bio(c_in, c_out, server_hostname="localhost")
    server = context.wrap_bio(s_in, s_out, server_side=True)
    wire = Wire(sink, number=number, is_tls=True, server=("127.0.0.1", 45_443))
    is_through = {client: False, server: False}

    def step(end: ssl.SSLObject) -> None:
        if not is_through[end]:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                return
            is_through[end] = True
            if end is server:
                cipher = server.cipher()
                assert cipher is not None
                wire(TlsAgreed, server.version(), cipher[0], "localhost", (alpn,), alpn)
        try:
            end.read(100_000)
        except ssl.SSLWantReadError:
            pass

    def from_client() -> None:
        octets = c_out.read()
        if octets:
            wire.received(octets)
            s_in.write(octets)
            step(server)

    def from_server() -> None:
        octets = s_out.read()
        if octets:
            wire.sent(octets)
            c_in.write(octets)
            step(client)

    step(client)
    while not is_through[client]:
        from_client()
        from_server()
    for sent, octets in said:
        (server if sent else client).write(octets)
        from_client()
        from_server()
    wire.closed()


def test_http_1(tmp_path: Path) -> None:
    """HTTP/1.1 is found on any port and over either IP, and nothing is wrong with its packets."""
    path = tmp_path / "trace.pcapng"
    write = PcapngWriter(path)
    hosts = [
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "::1"),
        ("fe80::1%eth0", "fe80::2%eth0"),
        ("::ffff:127.0.0.1", "::1"),
        ("", ""),
    ]
    for number, (client, server) in enumerate(hosts):
        wire = Wire(write, number=number, client=(client, 50_000), server=(server, 8_000 + number * 1111))
        for _ in range(2):
            wire.received(REQUEST)
            wire.sent(RESPONSE)
        wire(EndOfInput)
        wire.closed()
    write.close()
    found = shark(path, "-Y", "http", "-T", "fields", "-e", "http.request.method", "-e", "http.response.code")
    assert found == ["GET\t", "\t200"] * 10
    assert complaints(path) == []


def test_content_longer_than_packets(tmp_path: Path) -> None:
    """Content of any length is there, over several packets."""
    path = tmp_path / "trace.pcapng"
    write = PcapngWriter(path)
    content = bytes(range(256)) * 1000
    wire = Wire(write)
    wire.received(REQUEST)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
    wire.sent(head + content)
    wire.closed()
    write.close()
    told = shark(path, "-Y", "http.response", "-T", "fields", "-e", "tcp.reassembled.length")
    assert told == [str(len(head) + len(content))]
    assert complaints(path) == []


def test_h2c(tmp_path: Path) -> None:
    """HTTP/2 in the clear is found, if Wireshark is told of the port."""
    path = tmp_path / "trace.pcapng"
    write = PcapngWriter(path)
    wire = Wire(write)
    for sent, octets in h2_octets():
        wire.sent(octets) if sent else wire.received(octets)
    wire.closed()
    write.close()
    found = shark(
        path, "-d", "tcp.port==8000,http2", "-Y", "http2", "-T", "fields", "-e", "http2.headers.status"
    )
    assert "200" in [line.strip(",") for line in found]
    assert complaints(path) == []


def test_tls(tmp_path: Path, certs_dir: Path) -> None:
    """TLS is decrypted by what is in the file, on any port, for the keys are before what needs them."""
    path, log = tmp_path / "trace.pcapng", tmp_path / "keys"
    said: list[bytes] = []

    def key_log() -> bytes:
        lines = log.read_bytes()[len(b"".join(said)) :] if log.exists() else b""
        said.append(lines)
        return lines

    write = PcapngWriter(path, key_log)
    h1 = [(False, REQUEST), (True, RESPONSE)]
    versions = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    cases = itertools.product(versions, (("h2", h2_octets()), ("http/1.1", h1)))
    for number, (version, (alpn, octets)) in enumerate(cases, 1):  # all of them between the same ports
        carry_over_tls(write, number, certs_dir, octets, alpn, version, log)
    write.close()
    fields = ("http2.headers.path", "http2.headers.status", "http.request.uri", "http.response.code")
    found = shark(path, "-Y", "http or http2", "-T", "fields", *(f"-e{field}" for field in fields))
    told = [field.strip(",") for line in found for field in line.split("\t") if field.strip(",")]
    assert [one for one in told if one == "/hello"] == ["/hello"] * 2
    assert [one for one in told if one == "/hello?a=b"][:2] == ["/hello?a=b"] * 2
    assert [one for one in told if one == "200"] == ["200"] * 4
    assert complaints(path) == []


def test_reset(tmp_path: Path) -> None:
    """A connection that was reset ends in RST, of whoever did it; and a fault is a comment on it."""
    path = tmp_path / "trace.pcapng"
    write = PcapngWriter(path)
    wire = Wire(write)
    wire.received(REQUEST)
    wire(FaultHappened, 1, "reset() at response head")
    wire.closed()
    other = Wire(write, number=2, client=("127.0.0.1", 50_002))
    other.closed("broken off: [Errno 104] Connection reset by peer")
    write.close()
    found = shark(
        path, "-Y", "tcp.flags.reset == 1", "-T", "fields", "-e", "tcp.srcport", "-e", "frame.comment"
    )
    assert found == ["8000\ton purpose: reset() at response head", "50002\t"]
