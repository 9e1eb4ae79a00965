"""Stash: put once, take once; alone, among many threads, and between all ports and protocols."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.helpers.peers import KINDS, Kind, connect
from wptproto import Request, Response, Server, StashError
from wptproto.handlers.stash import Stash, StashStore

KEY = "0e8b2c5e-93a6-4f0e-a8a3-1f6d6f3c9b11"
THREADS = 50

SCRIPT = """
def main(request, response):
    path = request.GET.first(b"path", None)
    key = request.GET.first(b"key")
    if request.method == "POST":
        request.server.stash.put(key, request.body, path)
        return b"put"
    return request.server.stash.take(key, path) or b"nothing"
"""


@pytest.fixture
def stash() -> Stash:
    return Stash(StashStore(), "/a/test.py")


@pytest.mark.parametrize("value", ["text", 0, False, b"", [], {"a": object()}])
def test_taken_once(stash: Stash, value: object) -> None:
    """A value is taken as it was put, whatever it is, and is then no longer there."""
    stash.put(KEY, value)
    assert stash.take(KEY) is value
    assert stash.take(KEY) is None


def test_put_once(stash: Stash) -> None:
    """A second put of a key is an error that says key and path; the first value stays."""
    stash.put(KEY, 1)
    with pytest.raises(StashError, match=f"a value already for key {KEY} below path '/a/test.py'"):
        stash.put(KEY, 1)
    assert stash.take(KEY) == 1
    stash.put(KEY, 2)
    assert stash.take(KEY) == 2


@pytest.mark.parametrize(
    "key",
    [KEY, KEY.upper(), KEY.replace("-", ""), f"{{{KEY}}}", f"urn:uuid:{KEY}", KEY.encode(), UUID(KEY)],
    ids=repr,
)
def test_ways_to_write_a_key(stash: Stash, key: str | bytes | UUID) -> None:
    """A key is a UUID, however it is written."""
    stash.put(key, 1)
    assert stash.take(KEY) == 1


@pytest.mark.parametrize("key", ["", "key", KEY[:-1], b"\xff" * 16, "\u00e9" * 32, KEY + "0"])
@pytest.mark.parametrize("verb", ["put", "take", "remove"])
def test_no_uuid(stash: Stash, key: str | bytes, verb: str) -> None:
    """A key that is no UUID is an error that shows it."""
    with pytest.raises(ValueError, match="is no UUID") as caught:
        getattr(stash, verb)(key, *([1] if verb == "put" else []))
    assert repr(key) in str(caught.value)


@pytest.mark.parametrize("key", [5, None, ["a"]])
def test_no_key(stash: Stash, key: object) -> None:
    """A key of another type is an error that says the type."""
    with pytest.raises(TypeError, match=f"not {type(key).__name__}"):
        stash.take(key)  # type: ignore[arg-type]


def test_none_is_no_value(stash: Stash) -> None:
    """None is refused, for it would be as if nothing were there."""
    with pytest.raises(ValueError, match="None cannot be put"):
        stash.put(KEY, None)


def test_paths() -> None:
    """A key lies below the request's path, or below the one that is given, as text or octets."""
    store = StashStore()
    a, b = Stash(store, "/a"), Stash(store, "/b")
    a.put(KEY, "a's")
    b.put(KEY, "b's")
    a.put(KEY, "common", "/c\u00e9")
    assert (a.default_path, b.default_path) == ("/a", "/b")
    assert b.take(KEY, "/a") == "a's"
    assert b.take(KEY, b"/c\xe9") == "common"
    assert b.take(KEY) == "b's"
    assert a.take(KEY) is None
    with pytest.raises(ValueError, match="no path of a URL"):
        a.take(KEY, "/\u5929")


def test_remove(stash: Stash) -> None:
    """What is removed is no longer there; to remove nothing is no error."""
    stash.remove(KEY)
    stash.put(KEY, 1)
    stash.put(KEY, 2, "/b")
    stash.remove(KEY)
    assert stash.take(KEY) is None
    stash.put(KEY, 3)
    stash.remove(KEY, "/b")
    assert (stash.take(KEY), stash.take(KEY, "/b")) == (3, None)


def test_one_of_many_puts_and_takes() -> None:
    """Of 50 threads that put one key, or take it, at the same moment, exactly one succeeds."""
    stash = Stash(StashStore(), "/")
    barrier = threading.Barrier(THREADS)

    def put(number: int) -> bool:
        barrier.wait(10)
        try:
            stash.put(KEY, number)
        except StashError:
            return False
        return True

    def take(_: int) -> int | None:
        barrier.wait(10)
        taken: int | None = stash.take(KEY)
        return taken

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(20):
            winners = [number for number, won in enumerate(pool.map(put, range(THREADS))) if won]
            taken = [number for number in pool.map(take, range(THREADS)) if number is not None]
            assert len(winners) == 1
            assert taken == winners


def test_lock() -> None:
    """Under the lock, take and put are one step: none of the increments of 50 threads is lost."""
    store = StashStore()
    Stash(store, "/").put(KEY, 0)

    def increment(_: int) -> None:
        stash = Stash(store, "/")
        with stash.lock:
            stash.put(KEY, stash.take(KEY) + 1)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(increment, range(THREADS * 10)))
    assert Stash(store, "/").take(KEY) == THREADS * 10


def test_the_lock_is_for_those_who_ask(stash: Stash) -> None:
    """Who does not ask for the lock does not wait for it."""
    assert stash.lock.acquire(timeout=10)
    try:
        stash.put(KEY, 1)
        assert stash.take(KEY) == 1
        assert not stash.lock.acquire(blocking=False)
    finally:
        stash.lock.release()


# --- in a server ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(certs_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("root")
    for name in ("one.py", "two.py"):
        (root / name).write_text(SCRIPT)
    with Server(root, certs_dir=certs_dir) as server:
        yield server


@pytest.mark.parametrize("other", KINDS)
def test_between_ports_and_protocols(server: Server, kind: Kind, other: Kind) -> None:
    """What a script puts over one protocol and port it takes over any, once, and no other script does."""
    key = uuid4()
    with connect(server, kind) as first, connect(server, other) as second:
        put = f"/one.py?key={key}"
        assert first.request(put, method="POST", content=b"v\xff").content == b"put"
        again = second.request(put, method="POST", content=b"w")
        assert (again.status, str(key) in again.text, "/one.py" in again.text) == (500, True, True)
        assert second.request(f"/two.py?key={key}").content == b"nothing"
        assert second.request(f"{put}&x=y").content == b"v\xff"
        assert first.request(put).content == b"nothing"


def test_by_an_explicit_path(server: Server, kind: Kind) -> None:
    """A script takes what another put below a path that both know."""
    key = uuid4()
    with connect(server, kind) as peer:
        assert peer.request(f"/one.py?path=/p&key={key}", method="POST", content=b"v").text == "put"
        assert server.stash.take(key, "/one.py") is None
        assert peer.request(f"/two.py?path=/p&key={key}").text == "v"


def test_a_handler_waits_for_another(certs_dir: Path, kind: Kind) -> None:
    """A handler that waits for what another request puts does not keep that one from being served."""

    def wait(request: Request, response: Response) -> str:
        value: str | None = None
        while value is None:
            value = request.server.stash.take(KEY, "/shared")
        return value

    async def put(request: Request, response: Response) -> str:
        request.server.stash.put(KEY, "at last", "/shared")
        return "put"

    with (
        Server(routes=[("*", "/wait", wait), ("*", "/put", put)], certs_dir=certs_dir) as server,
        connect(server, kind) as waiting,
        connect(server, kind) as putting,
    ):
        waiting.send_request("/wait")
        assert putting.request("/put").text == "put"
        assert waiting.read_answer().text == "at last"


def test_two_servers_share_none(certs_dir: Path) -> None:
    """Each server has a stash of its own, which it keeps when it is stopped and started."""
    one, two = (Server(certs_dir=certs_dir, https_port=None) for _ in range(2))
    with one, two:
        one.stash.put(KEY, 1)
        two.stash.put(KEY, 2)
    with one:
        assert (one.stash.take(KEY), two.stash.take(KEY)) == (1, 2)
