"""What one request leaves for another."""

from __future__ import annotations

from tests.table.case import Case, Step, fails, main

__all__ = ["CASES"]

UUID = "9f2f9f5c-0fbe-4a8e-9d9c-3b0c8b1f9a0%d"


def ask(what: str, number: int) -> str:
    return f"it.py?do={what}&id={UUID % number}"


PUT_AND_TAKE = main(
    """
    stash, do, key = request.server.stash, request.GET[b"do"], request.GET[b"id"]
    if do == b"put":
        stash.put(key, {"value": [1, "é", b"\\xff"]})
        return "put"
    if do == b"take":
        return repr(stash.take(key))
    with stash.lock:
        value = stash.take(key) or 0
        stash.put(key, value + 1)
    return str(value)
    """
)

# Over each protocol in turn the same server answers, so each case leaves nothing.
CASES = [
    Case(
        "put and take",
        PUT_AND_TAKE,
        Step(path=ask("take", 1), says="None"),
        Step(path=ask("put", 1), says="put"),
        Step(path=ask("take", 1), says="{'value': [1, 'é', b'\\xff']}"),
        Step(path=ask("take", 1), says="None"),
    ),
    Case(
        "put twice",
        PUT_AND_TAKE,
        Step(path=ask("put", 2), says="put"),
        fails(500, "StashError", path=ask("put", 2)),
        Step(path=ask("take", 2), says="{'value': [1, 'é', b'\\xff']}"),
    ),
    Case(
        "lock",
        PUT_AND_TAKE,
        Step(path=ask("count", 3), says="0"),
        Step(path=ask("count", 3), says="1"),
        Step(path=ask("take", 3), says="2"),
    ),
    Case("no uuid", main("request.server.stash.put('x', 1)"), fails(500, "ValueError")),
    Case("none for a value", main(f"request.server.stash.put({UUID % 4!r}, None)"), fails(500, "ValueError")),
    Case(
        "by path",
        main(
            """
            stash = request.server.stash
            if request.GET.first(b"do") == b"put":
                stash.put(request.GET[b"id"], "left", path="/elsewhere")
                return "put"
            key = request.GET[b"id"]
            return repr([stash.take(key), stash.take(key, "/elsewhere/"), stash.take(key, b"/elsewhere")])
            """
        ),
        Step(path=ask("put", 5), says="put"),
        Step(path=ask("take", 5), says="[None, None, 'left']"),
    ),
    Case(
        "from another script",
        {
            "a.py": "def main(request, response):\n"
            "    request.server.stash.put(request.GET[b'id'], 1, '/shared')\n",
            "b.py": "def main(request, response):\n"
            "    return repr(request.server.stash.take(request.GET[b'id'], '/shared'))\n",
        },
        Step(path=f"a.py?id={UUID % 6}"),
        Step(path=f"b.py?id={UUID % 6}", says="1"),
    ),
]
