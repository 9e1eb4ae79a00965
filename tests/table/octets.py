"""Responses that a script writes as octets, status line and all."""

from __future__ import annotations

from tests.table.case import BROKEN, Case, Step, main

__all__ = ["CASES"]

X_A = (("X-A", "1"),)


def octets(written: bytes) -> dict[str, str | bytes]:
    """Return a script that writes these octets, and closes the connection behind them."""
    return main(f"response.close_connection = True\nresponse.writer.write({written!r})")


def pieces(*written: bytes) -> dict[str, str | bytes]:
    return main(
        f"response.close_connection = True\nfor piece in {written!r}:\n    response.writer.write(piece)"
    )


CASES = [
    Case(
        "message",
        octets(b"HTTP/1.1 201 Made\r\nX-A: 1\r\nContent-Length: 3\r\n\r\nabc"),
        Step(status=201, reason="Made", fields=X_A, says="abc"),
    ),
    Case(
        "message in pieces",
        pieces(b"HTTP/1.1 2", b"01 Made\r\nX-A", b": 1\r", b"\nContent-Length: 3\r\n", b"\r\na", b"bc"),
        Step(status=201, reason="Made", fields=X_A, says="abc"),
    ),
    Case(
        "message to the end of the connection",
        octets(b"HTTP/1.1 200 OK\r\nX-A: 1\r\n\r\nabc"),
        Step(fields=X_A, says="abc"),
    ),
    Case(
        "chunks",
        octets(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
            b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"
        ),
        Step(fields=X_A, says="abc"),
    ),
    Case(
        "interim messages",
        octets(
            b"HTTP/1.1 103 Early\r\nLink: </a>\r\n\r\nHTTP/1.1 102 \r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na"
        ),
        Step(interim=((103, (("Link", "</a>"),)), (102, ())), says="a"),
    ),
    Case(
        "other octets",
        octets(b"HTTP/1.1 200 \xff\r\nX-A: \xe9\r\nContent-Length: 2\r\n\r\n\x00\xff"),
        Step(reason="ÿ", fields=(("X-A", b"\xe9"),), says=b"\x00\xff"),
    ),
    Case(
        "empty reason",
        octets(b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n"),
        Step(status=404, reason=""),
    ),
    Case("no content", octets(b"HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n"), Step(status=204, fields=X_A)),
    Case(
        "head of a message",
        octets(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 3\r\n\r\n"),
        Step(method="HEAD", fields=X_A),
    ),
    Case(
        "status by hand",
        main("response.writer.write('HTTP/1.1 299 By Hand\\r\\n')\nresponse.writer.write_content('a')"),
        Step(status=299, reason="By Hand", says="a", differs={BROKEN: "writes a second status line"}),
    ),
    Case(
        "verbs and then octets",
        main(
            """
            response.add_required_headers = False
            response.writer.write_status(200)
            response.writer.write("X-A: 1\\r\\nContent-Length: 3\\r\\n")
            response.writer.end_headers()
            response.writer.write("abc")
            """
        ),
        Step(fields=X_A, says="abc"),
    ),
    Case(
        "content cut short",
        octets(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 9\r\n\r\nabc"),
        Step(fields=X_A, says="abc", cut_off=True),
    ),
    Case(
        "chunks cut short",
        octets(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"),
        Step(fields=X_A, says="abc", cut_off=True),
    ),
    Case("no octets at all", octets(b""), Step(status=0, cut_off=True)),
    Case(
        "raw content",
        main("response.write_status_headers()\nresponse.writer.write_raw_content('abc')"),
        Step(says="abc"),
    ),
]
