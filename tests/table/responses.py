"""What a script returns, or fills its response in with."""

from __future__ import annotations

from tests.table.case import BROKEN, Case, Step, fails, main

__all__ = ["CASES"]

X_A = (("X-A", "1"),)
COOKIE = (
    "a=1; Comment=c; Domain=d.test; expires=06 nov 1994 08:49:37 GMT; HttpOnly; Max-Age=60; Path=/p; "
    "SameSite=Lax; Secure"
)

CASES = [
    # --- returned ------------------------------------------------------------------------------
    Case("text", main("return 'té\\u20acxt'"), Step(says="té€xt")),
    Case("octets", main("return b'\\x00\\xff'"), Step(says=b"\x00\xff")),
    Case("nothing", main("return None"), Step()),
    Case("empty text", main("return ''"), Step()),
    Case("list", main("return ['a', b'b', lambda: 'c', None, lambda: None, '']"), Step(says="abc")),
    Case(
        "fields and content",
        main("return [('X-A', '1'), (b'X-B', b'\\xff')], 'a'"),
        Step(fields=(("X-A", "1"), ("X-B", b"\xff")), says="a"),
    ),
    Case(
        "status fields and content",
        main("return 404, [('X-A', '1')], 'a'"),
        Step(status=404, fields=X_A, says="a"),
    ),
    Case(
        "code and reason",
        main("return (234, 'Très Bon'), [('X-A', '1')], 'a'"),
        Step(status=234, reason="Très Bon", fields=X_A, says="a"),
    ),
    Case("reason in octets", main("return (200, b'\\xff'), [], 'a'"), Step(reason="ÿ", says="a")),
    Case("reason that is empty", main("return (299, ''), [], 'a'"), Step(status=299, reason="", says="a")),
    Case("status that nobody knows", main("return 299, [], 'a'"), Step(status=299, reason="", says="a")),
    Case(
        "status in text",
        main("response.status = ('201', 'Made')\nreturn 'a'"),
        Step(status=201, reason="Made", says="a"),
    ),
    Case(
        "fields added to those that are there",
        main("response.headers.set('X-A', '0')\nreturn [('X-A', '1')], 'a'"),
        Step(fields=(("X-A", "0"), ("X-A", "1")), says="a"),
    ),
    Case("tuple of one", main("return ('a',)"), fails(500)),
    Case("tuple of four", main("return 200, [], 'a', 'b'"), fails(500)),
    Case(
        "number",
        main("return 42"),
        fails(500, "int", differs={BROKEN: "never answers"}),
    ),
    Case(
        "dictionary",
        main("return {'a': 1}"),
        fails(500, "dict", differs={"status": "answers with the keys one after the other"}),
    ),
    Case("status that is none", main("return 'many', [], 'a'"), fails(500)),
    # --- filled in -----------------------------------------------------------------------------
    Case(
        "filled in",
        main("response.status = 202\nresponse.headers.set('X-A', 1)\nresponse.content = 'a'"),
        Step(status=202, fields=X_A, says="a"),
    ),
    Case("content and nothing returned", main("response.content = b'a'\nreturn None"), Step(says="a")),
    Case(
        "returned content comes before what is filled in",
        main("response.content = 'a'\nreturn 'b'"),
        Step(says="b"),
    ),
    Case("encoding", main("response.encoding = 'latin-1'\nreturn 'é'"), Step(says=b"\xe9")),
    Case(
        "wide encoding",
        main("response.encoding = 'utf-16-be'\nreturn 'é'"),
        Step(says=b"\x00\xe9", differs={BROKEN: "encodes the head, too"}),
    ),
    Case(
        "text that the encoding lacks",
        main("response.encoding = 'ascii'\nreturn 'é'"),
        fails(500, "UnicodeEncodeError", differs={BROKEN: "never answers"}),
    ),
    Case(
        "fields",
        main(
            """
            headers = response.headers
            headers.set("X-A", "1")
            headers.set("x-a", "2")
            headers.append("X-B", "1")
            headers.append("X-B", b"2")
            headers.set(b"X-C", 3)
            headers["X-D"] = "4"
            headers.set("X-E", "5")
            del headers["x-e"]
            headers.update([("X-F", "6"), ("X-F", "7")])
            return repr([
                headers.get("X-B"), headers.get("none"), headers.get("none", 1), headers["x-b"],
                "X-a" in headers, "X-E" in headers, sorted(headers.items()) == sorted(headers),
                headers["X-D"],
            ])
            """
        ),
        Step(
            fields=(
                ("X-a", "2"),
                ("X-B", "1"),
                ("X-B", "2"),
                ("X-C", "3"),
                ("X-D", "4"),
                ("X-F", "6"),
                ("X-F", "7"),
            ),
            says="[[b'1', b'2'], [], 1, [b'1', b'2'], True, False, True, [b'4']]",
        ),
    ),
    Case(
        "fields set to a list",
        main("response.headers = [('X-A', '1'), ('X-A', '2')]\nresponse.content = 'a'"),
        Step(fields=(("X-A", "1"), ("X-A", "2")), says="a"),
    ),
    Case(
        "field beyond latin-1",
        main("response.headers.set('X-A', '\\u20ac')\nreturn 'a'"),
        Step(fields=(("X-A", "€"),), says="a", differs={"status": "fails over what is more than one octet"}),
    ),
    Case(
        "content type",
        main("return [('Content-Type', 'text/html;charset=utf-8')], '<p>'"),
        Step(fields=(("Content-Type", "text/html;charset=utf-8"),), says="<p>"),
    ),
    # --- content in pieces ---------------------------------------------------------------------
    Case(
        "generator",
        main("def pieces():\n    yield 'a'\n    yield b'b'\n    yield lambda: 'c'\nreturn pieces()"),
        Step(says="abc"),
    ),
    Case("main that is a generator", main("yield 'a'\nyield b'b'"), Step(says="ab")),
    Case("generator of nothing", main("return iter([])"), Step()),
    Case(
        "function",
        main("return lambda: 'a'"),
        Step(says="a", differs={BROKEN: "sends a head, and no content ever"}),
    ),
    Case("function in content", main("response.content = [lambda: 'a', 'b']"), Step(says="ab")),
    Case(
        "file",
        main("return open(__file__.replace('it.py', 'data'), 'rb')") | {"data": b"\x00\xff" * 40_000},
        Step(says=b"\x00\xff" * 40_000),
    ),
    Case(
        "file from where it stands",
        main("file = open(__file__.replace('it.py', 'data'), 'rb')\nfile.seek(3)\nreturn file")
        | {"data": "abcdef"},
        Step(says="def"),
    ),
    Case(
        "file in memory",
        main("import io\nreturn [('X-A', '1')], io.BytesIO(b'abc')"),
        Step(fields=X_A, says="abc"),
    ),
    # --- framing that a script chose -----------------------------------------------------------
    Case("length by hand", main("return [('Content-Length', '3')], 'abc'"), Step(says="abc")),
    Case(
        "length of a generator",
        main("response.headers.set('Content-Length', 3)\nreturn iter(['ab', 'c'])"),
        Step(says="abc"),
    ),
    Case(
        "length that is too long",
        main("return [('Content-Length', '9')], 'abc'"),
        Step(says="abc", cut_off=True, differs={BROKEN: "keeps its client waiting for the rest"}),
    ),
    Case(
        "chunks by hand",
        main("return [('Transfer-Encoding', 'chunked')], '2\\r\\nab\\r\\n1\\r\\nc\\r\\n0\\r\\n\\r\\n'"),
        Step(says="abc"),
    ),
    Case(
        "chunks by hand from a generator",
        main(
            """
            response.headers.set("Transfer-Encoding", "chunked")
            response.headers.set("X-A", "1")
            response.write_status_headers()
            for piece in ("2\\r\\nab\\r\\n", "1\\r\\nc\\r\\n", "0\\r\\n\\r\\n"):
                response.writer.write(piece)
            """
        ),
        Step(fields=X_A, says="abc"),
    ),
    Case(
        "nothing added",
        main("response.add_required_headers = False\nreturn [('X-A', '1'), ('Content-Length', '3')], 'abc'"),
        Step(fields=X_A, says="abc"),
    ),
    Case("connection closed", main("response.close_connection = True\nreturn 'a'"), Step(says="a")),
    Case("connection closed by a field", main("return [('Connection', 'close')], 'a'"), Step(says="a")),
    # --- without content -----------------------------------------------------------------------
    Case("head", main("return [('X-A', '1')], 'abc'"), Step(method="HEAD", fields=X_A)),
    Case(
        "head of a generator",
        main("response.headers.set('X-A', '1')\nreturn iter(['a'])"),
        Step(method="HEAD", fields=X_A),
    ),
    Case("head of an error", main("return 404, [], 'abc'"), Step(method="HEAD", status=404)),
    *(
        Case(
            f"status {status}", main(f"return {status}, [('X-A', '1')], ''"), Step(status=status, fields=X_A)
        )
        for status in (204, 205, 304)
    ),
    # --- redirects and codes -------------------------------------------------------------------
    *(
        Case(
            f"redirect {status}",
            main(f"return {status}, [('Location', '/a?b#c')], ''"),
            Step(status=status, fields=(("Location", "/a?b#c"),)),
        )
        for status in (301, 302, 303, 307, 308)
    ),
    # --- cookies -------------------------------------------------------------------------------
    Case("cookie", main("response.set_cookie(b'a', b'1')"), Step(fields=(("Set-Cookie", "a=1; Path=/"),))),
    Case(
        "cookie with all there is",
        main(
            """
            response.set_cookie(
                "a", "1", path="/p", domain="d.test", max_age=60, expires=datetime(1994, 11, 6, 8, 49, 37),
                samesite="Lax", secure=True, httponly=True, comment="c",
            )
            """,
            before="from datetime import datetime",
        ),
        Step(fields=(("Set-Cookie", COOKIE),)),
    ),
    Case(
        "cookie without a path",
        main("response.set_cookie('a', '1', path=None)"),
        Step(fields=(("Set-Cookie", "a=1"),)),
    ),
    Case(
        "cookie for a while",
        main("from datetime import timedelta\nresponse.set_cookie('a', '1', max_age=timedelta(minutes=1))"),
        Step(fields=(("Set-Cookie", "a=1; Max-Age=60; Path=/"),)),
    ),
    Case(
        "cookie of octets",
        main("response.set_cookie(b'a', b'\\xff')"),
        Step(fields=(("Set-Cookie", b"a=\xff; Path=/"),)),
    ),
    Case(
        "two cookies",
        main("response.set_cookie(b'a', b'1')\nresponse.set_cookie(b'b', b'2')"),
        Step(fields=(("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; Path=/"))),
    ),
    Case("cookie unset", main("response.set_cookie(b'a', b'1')\nresponse.unset_cookie(b'a')"), Step()),
    Case(
        "one cookie of two unset",
        main("response.set_cookie(b'a', b'1')\nresponse.set_cookie(b'b', b'2')\nresponse.unset_cookie(b'a')"),
        Step(fields=(("Set-Cookie", "b=2; Path=/"),), differs={"status": "fails over it"}),
    ),
    Case(
        "cookie unset that is not there",
        main("response.set_cookie(b'a', b'1')\nresponse.unset_cookie(b'b')"),
        Step(fields=(("Set-Cookie", "a=1; Path=/"),)),
    ),
    Case(
        "cookie deleted",
        main(
            """
            response.delete_cookie(b"a")
            cookie = response.headers["Set-Cookie"][0]
            del response.headers["Set-Cookie"]
            return cookie.replace(b"Max-Age=0; ", b"").split(b"expires=")[0], cookie.endswith(b"Path=/")
            """.replace("return cookie", "return repr((cookie").replace('b"Path=/")', 'b"Path=/")))')
        ),
        Step(says="(b'a=; ', True)"),
    ),
    # --- errors --------------------------------------------------------------------------------
    Case("error", main("response.set_error(404, 'no such thing')"), fails(404, "no such thing")),
    Case("error without a word", main("response.set_error(410)"), fails(410)),
    Case("error of the server", main("response.set_error(503, 'busy')"), fails(503, "busy")),
    Case("error drops fields", main("response.headers.set('X-A', 1)\nresponse.set_error(400)"), fails(400)),
]
