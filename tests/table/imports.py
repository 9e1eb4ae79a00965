"""What a script imports from wptserve."""

from __future__ import annotations

import re

from tests.table.case import Case, Step, fails, main

__all__ = ["CASES"]

CASES = [
    Case(
        "error raised",
        main("raise HTTPException(409, 'in conflict')", before="from wptserve.utils import HTTPException"),
        fails(409, "in conflict"),
    ),
    Case(
        "multipart",
        main(
            """
            content = MultipartContent("xyz", "text/plain")
            content.append_part(b"one")
            content.append_part(b"two", "a/b", [("X-A", "1")])
            return [("Content-Type", "multipart/mixed; boundary=" + content.boundary)], content
            """,
            before="from wptserve.response import MultipartContent",
        ),
        Step(
            fields=(("Content-Type", "multipart/mixed; boundary=xyz"),),
            says="\r\n--xyz\r\nContent-Type: text/plain\r\n\r\none"
            "\r\n--xyz\r\nContent-Type: a/b\r\nX-A: 1\r\n\r\ntwo\r\n--xyz--",
        ),
    ),
    Case(
        "uuid for a boundary",
        main("return MultipartContent().boundary", before="from wptserve.response import MultipartContent"),
        Step(says=re.compile(rb"[-0-9a-f]{36}")),
    ),
]
