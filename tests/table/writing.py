"""What a script writes step by step."""

from __future__ import annotations

from tests.table.case import BROKEN, Case, Step, fails, main

__all__ = ["CASES"]

X_A = (("X-A", "1"),)


def by_hand(lines: str) -> dict[str, str | bytes]:
    """Return a script that adds no fields and calls these verbs of its writer."""
    verbs = "".join(f"response.writer.{line}\n" for line in lines.strip().split("\n"))
    return main(f"response.add_required_headers = False\n{verbs}")


CASES = [
    Case(
        "all verbs",
        by_hand(
            """\
write_status(202)
write_header('X-A', '1')
write_header('Content-Length', 5)
end_headers()
write('ab')
write_content('c')
write(b'de')"""
        ),
        Step(status=202, fields=X_A, says="abcde"),
    ),
    Case(
        "status with a reason",
        by_hand("write_status(200, 'Très Bon')\nwrite_header('Content-Length', 0)\nend_headers()"),
        Step(reason="Très Bon"),
    ),
    Case(
        "status with a reason of octets",
        by_hand("write_status(404, b'\\xff')\nwrite_header('Content-Length', 0)\nend_headers()"),
        Step(status=404, reason="ÿ"),
    ),
    Case("content alone", main("response.writer.write_content('abc')"), Step(says="abc")),
    Case("content of octets", main("response.writer.write_content(b'\\x00\\xff')"), Step(says=b"\x00\xff")),
    Case(
        "content twice",
        main(
            """
            response.headers.set("X-A", "1")
            response.write_status_headers()
            response.writer.write_content("a")
            response.writer.write_content("b")
            """
        ),
        Step(fields=X_A, says="ab"),
    ),
    Case(
        "field before any status",
        main("response.writer.write_header('X-A', '1')\nresponse.writer.write_content('a')"),
        Step(fields=X_A, says="a"),
    ),
    Case(
        "default status",
        main("response.writer.default_status = 203\nresponse.writer.write_content('a')"),
        Step(status=203, says="a"),
    ),
    Case(
        "status alone is overlooked by the writer",
        main("response.status = 404\nresponse.writer.write_content('a')"),
        Step(says="a"),
    ),
    Case(
        "fields alone are overlooked by the writer",
        main("response.headers.set('X-A', '1')\nresponse.writer.write_content('a')"),
        Step(says="a"),
    ),
    Case(
        "file",
        main("response.writer.write_content(open(__file__.replace('it.py', 'data'), 'rb'))")
        | {"data": "x" * 70_000},
        Step(says="x" * 70_000, differs={BROKEN: "does not know the length of a file"}),
    ),
    Case(
        "file in content",
        main(
            """
            response.write_status_headers()
            response.writer.write_content_file(open(__file__.replace("it.py", "data"), "rb"))
            """
        )
        | {"data": "abc"},
        Step(says="abc"),
    ),
    Case(
        "response written at once",
        main(
            """
            response.status = 201
            response.headers.set("X-A", "1")
            response.content = "abc"
            response.write()
            """
        ),
        Step(status=201, fields=X_A, says="abc"),
    ),
    Case(
        "head and then content",
        main(
            """
            response.headers.set("X-A", "1")
            response.content = "abc"
            response.write_status_headers()
            response.write_content()
            """
        ),
        Step(fields=X_A, says="abc"),
    ),
    Case(
        "returned content after writing",
        main("response.writer.write_content('a')\nreturn 'b'"),
        Step(says="a"),
    ),
    Case(
        "writes answer",
        main(
            """
            response.writer.write_status(200)
            assert response.writer.write_header("X-A", "1")
            assert response.writer.end_headers()
            assert response.writer.write("a")
            """
        ),
        Step(fields=X_A, says="a"),
    ),
    Case(
        "text that is encoded",
        main("response.encoding = 'latin-1'\nresponse.writer.write_content('é')"),
        Step(says=b"\xe9"),
    ),
    Case(
        "encode",
        main("return repr([response.writer.encode('é'), response.writer.encode(b'\\xff')])"),
        Step(says="[b'\\xc3\\xa9', b'\\xff']"),
    ),
    Case("number for content", main("response.writer.encode(1)"), fails(500, "ValueError")),
    Case(
        "fields out of order",
        main(
            """
            response.writer.write_header("X-B", "1")
            response.writer.write_header("X-A", "2")
            response.writer.write_header("X-B", "3")
            response.writer.write_content("a")
            """
        ),
        Step(fields=(("X-B", "1"), ("X-B", "3"), ("X-A", "2")), says="a"),
    ),
    Case(
        "field of a number",
        main("response.writer.write_header('X-A', 1)\nresponse.writer.write_content('a')"),
        Step(fields=X_A, says="a"),
    ),
    Case(
        "field of octets",
        main("response.writer.write_header(b'X-A', b'\\xff')\nresponse.writer.write_content('a')"),
        Step(fields=(("X-A", b"\xff"),), says="a"),
    ),
    Case(
        "length of content not known",
        main(
            """
            response.writer.write_status(200)
            response.writer.end_headers()
            response.writer.write("a")
            response.writer.write("b")
            """
        ),
        Step(says="ab"),
    ),
    Case("no content", by_hand("write_status(204)\nend_headers()"), Step(status=204)),
    Case(
        "head of what is written",
        main(
            """
            response.writer.write_status(200)
            response.writer.write_header("Content-Length", "3")
            response.writer.end_headers()
            if request.method != "HEAD":
                response.writer.write("abc")
            """
        ),
        Step(method="HEAD"),
        Step(says="abc"),
    ),
    Case(
        "explicit flush",
        main(
            """
            response.explicit_flush = True
            response.writer.write_status(200)
            response.writer.write_header("X-A", "1")
            response.writer.end_headers()
            response.writer.write("a")
            if hasattr(response.writer, "flush"):  # wptserve's has none
                response.writer.flush()
            response.writer.write("b")
            """
        ),
        Step(fields=X_A, says="ab"),
    ),
    # --- interim responses ---------------------------------------------------------------------
    Case(
        "interim response",
        by_hand(
            """\
write_status(103)
write_header('Link', '</a>; rel=preload')
end_headers()
write_status(200)
write_header('X-A', '1')
write_header('Content-Length', 1)
end_headers()
write('a')"""
        ),
        Step(interim=((103, (("Link", "</a>; rel=preload"),)),), fields=X_A, says="a"),
    ),
    Case(
        "several interim responses",
        by_hand(
            """\
write_status(102)
end_headers()
write_status(103)
write_header('Link', '</a>')
end_headers()
write_status(103)
write_header('Link', '</b>')
end_headers()
write_status(404)
write_header('Content-Length', 1)
end_headers()
write('a')"""
        ),
        Step(
            interim=((102, ()), (103, (("Link", "</a>"),)), (103, (("Link", "</b>"),))), status=404, says="a"
        ),
    ),
    # --- mistakes ------------------------------------------------------------------------------
    Case(
        "head that never ends",
        main("response.writer.write_status(200)\nresponse.writer.write_header('X-A', '1')"),
        Step(status=0, cut_off=True, differs={BROKEN: "keeps its client waiting for the rest"}),
    ),
]
