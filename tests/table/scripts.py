"""Scripts that are not as scripts should be, and which script a path leads to."""

from __future__ import annotations

from tests.table.case import BROKEN, Case, Step, fails, main

__all__ = ["CASES"]

ANSWERS = "def main(request, response):\n    return %r\n"

CASES = [
    Case(
        "script that raises",
        main("return 1 / 0"),
        fails(500, "ZeroDivisionError"),
        Step(method="HEAD", status=500, fields=(("Content-Type", "application/json"),)),
    ),
    Case(
        "script that exits",
        main("import sys\nsys.exit(3)"),
        fails(500, "SystemExit", differs={BROKEN: "closes the connection"}),
    ),
    Case("script that raises at once", {"it.py": "1 / 0\n"}, fails(500, "ZeroDivisionError")),
    Case("script that is no python", {"it.py": "def main(:\n"}, fails(500, "SyntaxError")),
    Case("script of other octets", {"it.py": b"\x00\xff"}, fails(500, "NUL octets")),
    Case("script without main", {"it.py": "x = 1\n"}, fails(500, "main")),
    Case("main that is no function", {"it.py": "main = 1\n"}, fails(500, "main")),
    Case("main of no arguments", {"it.py": "def main():\n    return 'a'\n"}, fails(500, "TypeError")),
    Case("empty script", {"it.py": ""}, fails(500, "main")),
    Case(
        "import of what is not there",
        {"it.py": "import nowhere_to_be_found\n"},
        fails(500, "nowhere_to_be_found"),
    ),
    Case(
        "script that raises while it generates",
        main("yield 'a'\n1 / 0"),
        Step(says="a", cut_off=True, differs={BROKEN: "appends an error to the content"}),
    ),
    Case(
        "script that raises after a status",
        main("response.status = 201\nresponse.headers.set('X-A', '1')\n1 / 0"),
        fails(500, "ZeroDivisionError"),
    ),
    Case(
        "script that raises after it wrote",
        main("response.writer.end_headers()\nresponse.writer.write('a')\n1 / 0"),
        Step(says="a", cut_off=True, differs={BROKEN: "makes it a whole message"}),
    ),
    # --- which script --------------------------------------------------------------------------
    Case(
        "default script",
        {
            "dir/default2.py": ANSWERS % "second",
            "dir/default1.py": ANSWERS % "first",
            "dir.py/default.py": ANSWERS % "of a directory",
        },
        Step(path="dir.py", says="of a directory"),
        fails(404, path="none.py"),
    ),
    Case(
        "script that is not there",
        {"folder.py/file": ""},
        fails(404, path="none.py"),
        fails(404, path="folder.py"),
        fails(404, path="a/b/c.py"),
        fails(404, path="folder.py/file/x"),
        Step(path="folder.py/file", fields=(("Content-Type", "application/octet-stream"), ("ETag", "..."))),
    ),
    Case(
        "script by another name",
        {"it.py": ANSWERS % "it"},
        Step(path="%69t.py", says="it"),
        Step(path="it.py?x.txt", says="it"),
        fails(404, path="it%2Epy", differs={"status": "shows the script's source"}),
        fails(404, path="it.p%79", differs={"status": "shows the script's source"}),
    ),
    Case(
        "namespace",
        main("global count\ncount += 1\nreturn str(count)", before="count = 0"),
        Step(says="1"),
        Step(says="1"),
    ),
    Case(
        "fields for a script",
        main("return 'a'") | {"it.py.headers": "X-A: 1\n", "__dir__.headers": "X-B: 1\n"},
        Step(says="a"),
    ),
    Case(
        "sub in the name of a script",
        {"it.sub.py": ANSWERS % "{{GET[a]}}"},
        Step(path="it.sub.py?a=<", says="<"),
    ),
]
