"""What a script reads of its request."""

from __future__ import annotations

from tests.table.case import BROKEN, Case, Step, fails, main

__all__ = ["CASES"]

FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
MULTIPART = (("Content-Type", "multipart/form-data; boundary=xyz"),)


def multipart(*parts: tuple[str, bytes]) -> bytes:
    """Return parts, each the parameters of its Content-Disposition, and content, between boundaries."""
    octets = b""
    for parameters, content in parts:
        octets += b"--xyz\r\nContent-Disposition: form-data; " + parameters.encode() + b"\r\n\r\n" + content
        octets += b"\r\n"
    return octets + b"--xyz--\r\n"


FIRST_ALONE = "finds the first field line alone, though its documentation has them joined by commas"

QUERY = main("return repr(sorted((name, request.GET.get_list(name)) for name in request.GET))")
POST = main("return repr([(name, request.POST.get_list(name)) for name in sorted(request.POST)])")
RAW_INPUT = main(
    """
    file = request.raw_input
    return repr([
        file.read(3), file.tell(), file.readline(), file.readline(2), [file.seek(1), file.readlines()][1],
        file.read(), [file.seek(0), list(file)][1], file.tell(),
    ])
    """
)

CASES = [
    Case(
        "method",
        main("return request.method"),
        Step(says="GET"),
        Step(method="PUT", content=b"x", says="PUT"),
        Step(method="DELETE", says="DELETE"),
        Step(method="OPTIONS", says="OPTIONS"),
        Step(method="get", says="get"),
        Step(method="MADE-UP", says="MADE-UP"),
    ),
    # --- where it went -------------------------------------------------------------------------
    Case(
        "url",
        main("return request.url + ' ' + repr(request)"),
        Step(
            path="it.py?a=%C3%A9&b",
            says="$SCHEME://localhost:$PORT$CASE/it.py?a=%C3%A9&b "
            "<Request GET $SCHEME://localhost:$PORT$CASE/it.py?a=%C3%A9&b>",
        ),
        Step(
            headers=(("Host", "www.example.test:8123"),),
            says="$SCHEME://www.example.test:8123$CASE/it.py "
            "<Request GET $SCHEME://www.example.test:8123$CASE/it.py>",
        ),
        Step(
            headers=(("Host", "www.example.test"),),
            says="$SCHEME://www.example.test:$PORT$CASE/it.py "
            "<Request GET $SCHEME://www.example.test:$PORT$CASE/it.py>",
        ),
        Step(
            headers=(("Host", "[::1]:8123"),),
            says="$SCHEME://[::1]:8123$CASE/it.py <Request GET $SCHEME://[::1]:8123$CASE/it.py>",
        ),
    ),
    Case(
        "url of an address without a port",
        main("return request.url"),
        Step(
            headers=(("Host", "[::1]"),),
            says="$SCHEME://[::1]:$PORT$CASE/it.py",
            differs={"content": "its URL is cut in the middle of the address: http://[:1]..."},
        ),
    ),
    Case(
        "url parts",
        main(
            """
            parts = request.url_parts
            return repr((parts.scheme, parts.netloc, parts.path, parts.query, parts.fragment, parts.port))
            """
        ),
        Step(
            path="it.py?q=%20+;x&&y=?/",
            headers=(("Host", "a.test:81"),),
            says="('$SCHEME', 'a.test:81', '$CASE/it.py', 'q=%20+;x&&y=?/', '', 81)",
        ),
    ),
    Case(
        "request path",
        main("return repr((request.request_path, request.url_base, request.doc_root == '$ROOT'))"),
        Step(path="%69t.py?a=%00", says="('$CASE/%69t.py?a=%00', '/', False)"),
    ),
    Case(
        "document root",
        main("import os\nreturn repr((os.path.realpath(request.doc_root), __file__ is not None))"),
        Step(says="('$ROOT', True)"),
    ),
    Case("file of a script", main("return __file__"), Step(says="$ROOT$CASE/it.py")),
    Case(
        "client address",
        main("return repr((request.client_address[0], isinstance(request.client_address[1], int)))"),
        Step(says="('127.0.0.1', True)"),
    ),
    # --- query ---------------------------------------------------------------------------------
    Case(
        "query",
        QUERY,
        Step(says="[]"),
        Step(path="it.py?", says="[]"),
        Step(path="it.py?a=1&b=2&a=3", says="[(b'a', [b'1', b'3']), (b'b', [b'2'])]"),
        Step(path="it.py?a&b=&=c", says="[(b'', [b'c']), (b'a', [b'']), (b'b', [b''])]"),
        Step(path="it.py?a=1;b=2", says="[(b'a', [b'1;b=2'])]"),
        Step(path="it.py?a=%2B+%20&a=b%3Dc=d", says="[(b'a', [b'+  ', b'b=c=d'])]"),
        Step(path="it.py?a=%", says="[(b'a', [b'%'])]"),
        Step(path="it.py?a=%zz&%C3%A9=1", says="[(b'a', [b'%zz']), (b'\\xc3\\xa9', [b'1'])]"),
        Step(path="it.py?a=%FF%00%80", says="[(b'a', [b'\\xff\\x00\\x80'])]"),
    ),
    Case(
        "query by name",
        main(
            """
            get = request.GET
            return repr([
                get[b"a"], get.first(b"a"), get.last(b"a"), get.get(b"a"), get.get_list(b"a"), b"a" in get,
                len(get), b"x" in get, get.get(b"x"), get.get(b"x", 1), get.first(b"x", 2), get.last(b"x",
                None),
                get.get_list(b"x"),
            ])
            """
        ),
        Step(
            path="it.py?a=1&a=2",
            says="[b'1', b'1', b'2', b'1', [b'1', b'2'], True, 1, False, None, 1, 2, None, []]",
        ),
    ),
    *(
        Case(
            f"query without {access}",
            main(f"return repr(request.GET{access})"),
            fails(500, "KeyError: b'x'"),
        )
        for access in ("[b'x']", ".first(b'x')", ".last(b'x')")
    ),
    Case(
        "query as a dictionary",
        main("return repr([dict(request.GET), sorted(request.GET.keys()), list(request.GET.items())])"),
        Step(
            path="it.py?a=1&a=2",
            says="[{b'a': [b'1', b'2']}, [b'a'], [(b'a', [b'1', b'2'])]]",
        ),
    ),
    # --- fields --------------------------------------------------------------------------------
    Case(
        "fields",
        main(
            """
            fields = request.headers
            return repr([
                fields["x-a"], fields[b"X-A"], fields.get("X-a"), fields.get_list("x-a"), "x-A" in fields,
                b"x-a" in fields, fields.get("x-b"), fields.get(b"x-b", "none"), fields.get_list("x-b", []),
                "x-b" in fields,
            ])
            """
        ),
        Step(
            headers=(("X-A", "1"),),
            says="[b'1', b'1', b'1', [b'1'], True, True, None, 'none', [], False]",
        ),
        Step(
            headers=(("X-A", "1"), ("x-other", "3"), ("X-A", "2, 3")),
            says="[b'1, 2, 3', b'1, 2, 3', b'1, 2, 3', [b'1', b'2, 3'], True, True, None, 'none', [], False]",
            differs={"content": FIRST_ALONE},
        ),
        Step(
            headers=(("X-A", b"\xff\xc3\xa9"),),
            says="[b'\\xff\\xc3\\xa9', b'\\xff\\xc3\\xa9', b'\\xff\\xc3\\xa9', [b'\\xff\\xc3\\xa9'], "
            "True, True, None, 'none', [], False]",
        ),
        Step(
            headers=(("X-A", ""),),
            says="[b'', b'', b'', [b''], True, True, None, 'none', [], False]",
        ),
    ),
    Case("field that is not there", main("return request.headers['x']"), fails(500, "KeyError")),
    Case(
        "list of a field that is not there",
        main("return request.headers.get_list('x')"),
        fails(500, "KeyError"),
    ),
    Case(
        "fields as a mapping",
        main(
            """
            fields = request.headers
            own = [name for name in fields if name.startswith(b"x-")]
            return repr([
                own, [item for item in fields.items() if item[0] in own],
                [item for item in fields.iteritems() if item[0] in own],
            ])
            """
        ),
        Step(
            headers=(("X-B", "1"), ("X-A", "2"), ("X-B", "3")),
            says="[[b'x-b', b'x-a'], [(b'x-b', [b'1', b'3']), (b'x-a', [b'2'])], "
            "[(b'x-b', b'1, 3'), (b'x-a', b'2')]]",
            differs={"content": FIRST_ALONE},
        ),
    ),
    Case(
        "raw fields",
        main(
            """
            raw = request.raw_headers
            return repr([
                raw["x-a"], raw.get("X-A"), raw.get("x-none"), raw.get("x-none", "d"),
                [value for name, value in raw.raw_items() if name.lower() == "x-a"],
                [line.partition(":")[2].strip() for line in raw.getallmatchingheaders("x-a")],
            ])
            """
        ),
        Step(
            headers=(("X-A", "1"), ("X-A", b"\xe9")),
            says="['1', '1', None, 'd', ['1', 'é'], ['1', 'é']]",
            differs={"content": FIRST_ALONE},
        ),
    ),
    Case(
        "host", main("return request.headers['host']"), Step(headers=(("Host", "a.test:1"),), says="a.test:1")
    ),
    # --- cookies -------------------------------------------------------------------------------
    Case(
        "cookies",
        main("return repr([(name, request.cookies[name].value) for name in sorted(request.cookies)])"),
        Step(says="[]"),
        Step(headers=(("Cookie", "a=1; b=2"),), says="[(b'a', b'1'), (b'b', b'2')]"),
        Step(headers=(("Cookie", "a=1; a=2"),), says="[(b'a', b'2')]"),
        Step(
            headers=(("Cookie", b"a=\xff\xe9"),),
            says="[(b'a', b'\\xff\\xe9')]",
            differs={"content": "drops a cookie whose octets are not ASCII"},
        ),
        Step(headers=(("Cookie", "a=; b=1=2"),), says="[(b'a', b''), (b'b', b'1=2')]"),
        Step(headers=(("Cookie", 'a="x y"'),), says="""[(b'a', b'"x y"')]"""),
    ),
    Case(
        "cookies that are none",
        main("return repr([(name, request.cookies[name].value) for name in sorted(request.cookies)])"),
        *(
            Step(
                headers=(("Cookie", sent),),
                says=says,
                differs={"content": "drops all cookies for one that it cannot read"} if kept else {},
            )
            for sent, says, kept in (
                ("", "[]", False),
                (";", "[]", False),
                ("=", "[]", False),
                ("nonsense", "[]", False),
                ("a=1; nonsense; b=2", "[(b'a', b'1'), (b'b', b'2')]", True),
                ("a=1; [b]=2", "[(b'[b]', b'2'), (b'a', b'1')]", True),
            )
        ),
    ),
    Case(
        "cookies by name",
        main(
            """
            jar = request.cookies
            return repr([
                jar.first(b"a").value, jar.last(b"a").value, [c.value for c in jar.get_list(b"a")],
                jar.get(b"x"), jar.first(b"x", "d"), b"a" in jar, jar[b"a"] == b"1", jar.get_list(b"x"),
                jar[b"a"].key,
                jar[b"a"].path, str(jar[b"a"]),
            ])
            """
        ),
        Step(
            headers=(("Cookie", "a=1"),),
            says="[b'1', b'1', [b'1'], None, 'd', True, True, [], 'a', '', 'a=1']",
        ),
    ),
    Case("cookie that is not there", main("return request.cookies[b'x'].value"), fails(500, "KeyError")),
    # --- credentials ---------------------------------------------------------------------------
    Case(
        "credentials",
        main("return repr((request.auth.username, request.auth.password))"),
        Step(says="(None, None)"),
        Step(headers=(("Authorization", "Basic dXNlcjpwYTpzcw=="),), says="(b'user', b'pa:ss')"),
        Step(headers=(("Authorization", "Basic /zr+"),), says="(b'\\xff', b'\\xfe')"),
        Step(headers=(("Authorization", "Basic Og=="),), says="(b'', b'')"),
        fails(400, "Digest", headers=(("Authorization", "Digest x"),)),
        fails(
            400,
            headers=(("Authorization", "Basic dXNlcg=="),),
            differs={"status": "the client is at fault, not the script"},
        ),
        fails(
            400,
            headers=(("Authorization", "Basic"),),
            differs={"status": "the client is at fault, not the script"},
        ),
    ),
    # --- content -------------------------------------------------------------------------------
    Case(
        "content",
        main("return request.body + b'|' + request.body"),
        Step(says="|"),
        Step(method="POST", content=b"a\x00\xff", says=b"a\x00\xff|a\x00\xff"),
        Step(method="POST", content=b"", says="|"),
        Step(content=b"of a GET", says="of a GET|of a GET"),
        Step(method="POST", content=b"x" * 100_000, says=b"x" * 100_000 + b"|" + b"x" * 100_000),
    ),
    Case(
        "content of a length that is not said",
        main("return request.body"),
        Step(
            method="POST",
            content=(b"one ", b"two"),
            says="one two",
            differs={BROKEN: "takes the chunks for further requests"},
        ),
    ),
    Case(
        "content that waits and is not asked for",
        main("return 'early'"),
        Step(
            method="POST",
            headers=(("Expect", "100-continue"),),
            content=b"abc",
            says="early",
            differs={"interim": "asks for content that nobody wants"},
        ),
    ),
    Case(
        "content as a file",
        RAW_INPUT,
        Step(
            method="POST",
            content=b"abcd\nefg\nh",
            says="[b'abc', 3, b'd\\n', b'ef', [b'bcd\\n', b'efg\\n', b'h'], b'', "
            "[b'abcd\\n', b'efg\\n', b'h'], 10]",
        ),
    ),
    Case(
        "content after a form",
        main("return repr((request.POST[b'a'], request.raw_input.tell(), request.body))"),
        Step(method="POST", headers=FORM, content=b"a=1", says="(b'1', 0, b'a=1')"),
    ),
    Case(
        "content that nobody reads",
        main("return 'early'"),
        Step(method="POST", content=b"x" * 10_000, says="early"),
        Step(says="early"),
    ),
    # --- forms ---------------------------------------------------------------------------------
    Case(
        "urlencoded form",
        POST,
        Step(says="[]"),
        Step(method="POST", headers=FORM, content=b"", says="[]"),
        Step(
            method="POST",
            headers=FORM,
            content=b"a=1&b=%FF+%2B&a=&c",
            says="[(b'a', [b'1', b'']), (b'b', [b'\\xff +']), (b'c', [b''])]",
        ),
        Step(method="POST", headers=FORM, content=b"a=\xff\xe9", says="[(b'a', [b'\\xff\\xe9'])]"),
        Step(
            path="it.py?q=1",
            method="POST",
            headers=FORM,
            content=b"a=1",
            says="[(b'a', [b'1'])]",
        ),
        Step(
            method="POST",
            headers=(("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),),
            content=b"a=%C3%A9",
            says="[(b'a', [b'\\xc3\\xa9'])]",
        ),
    ),
    Case(
        "content that is no form",
        POST,
        Step(
            method="POST",
            headers=(("Content-Type", "text/plain"),),
            content=b"a=1&b=2",
            says="[]",
            differs={"status": "fails over it"},
        ),
    ),
    Case(
        "multipart form",
        POST,
        Step(
            method="POST",
            headers=MULTIPART,
            content=multipart(('name="a"', b"1"), ('name="b"', b"\xff\r\n-"), ('name="a"', b"")),
            says="[(b'a', [b'1', b'']), (b'b', [b'\\xff\\r\\n-'])]",
        ),
        Step(
            method="POST",
            headers=(("Content-Type", 'multipart/form-data; boundary="xyz"'),),
            content=multipart(("name=a", b"1")),
            says="[(b'a', [b'1'])]",
        ),
    ),
    Case(
        "file of a form",
        main(
            """
            part = request.POST.first(b"f")
            return repr((
                part.filename, part.name, part.type, part.headers["content-disposition"], part.file.read(),
                part.value,
            ))
            """
        ),
        Step(
            method="POST",
            headers=MULTIPART,
            content=multipart(
                ('name="a"', b"1"), ('name="f"; filename="x.bin"\r\nContent-Type: a/b', b"\x00\xff\r\n")
            ),
            says="""('x.bin', 'f', 'a/b', 'form-data; name="f"; filename="x.bin"', b'\\x00\\xff\\r\\n', """
            """b'\\x00\\xff\\r\\n')""",
        ),
    ),
    Case(
        "multipart form cut short",
        POST,
        fails(
            400,
            method="POST",
            headers=MULTIPART,
            content=multipart(("name=a", b"1"))[:-12],
            differs={BROKEN: "takes what there is for all of it"},
        ),
    ),
    Case(
        "multipart form without its boundary",
        POST,
        fails(
            400,
            "boundary",
            method="POST",
            headers=(("Content-Type", "multipart/form-data"),),
            content=multipart(("name=a", b"1")),
            differs={"status": "the client is at fault, not the script"},
        ),
    ),
    Case(
        "multipart form with another boundary",
        POST,
        fails(
            400,
            method="POST",
            headers=(("Content-Type", "multipart/form-data; boundary=abc"),),
            content=multipart(("name=a", b"1")),
            differs={BROKEN: "takes it for a form with nothing in it"},
        ),
    ),
    Case(
        "boundary that is none",
        POST,
        fails(
            400,
            method="POST",
            headers=(("Content-Type", "multipart/form-data; boundary=" + "x" * 300),),
            content=b"--x--",
            differs={BROKEN: "takes any boundary"},
        ),
    ),
    # --- the server ----------------------------------------------------------------------------
    Case(
        "config",
        main(
            """
            config = request.server.config
            return repr([
                config["browser_host"], config.browser_host, config["alternate_hosts"],
                config["domains"]["alt"]["www"], config.all_domains[""]["nonexistent"],
                config["domains"][""][""], config["ports"]["http"],
                "browser_host" in config, "nonsense" in config, config.doc_root,
                sorted(config.not_domains["alt"].items()), config.paths["doc_root"],
            ])
            """
        ),
        Step(
            says="['web-platform.test', 'web-platform.test', {'alt': 'not-web-platform.test'}, "
            "'www.not-web-platform.test', 'nonexistent.web-platform.test', 'web-platform.test', [$HTTP], "
            "True, False, '$ROOT', [('nonexistent', 'nonexistent.not-web-platform.test')], '$ROOT']"
        ),
    ),
    Case(
        "key that the config lacks", main("return request.server.config['nonsense']"), fails(500, "nonsense")
    ),
    # --- the wire ------------------------------------------------------------------------------
    Case(
        "version",
        main("return type(request.protocol_version).__name__"),
        Step(says="str"),
    ),
]
