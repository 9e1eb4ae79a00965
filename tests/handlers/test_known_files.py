"""What is known of a file holds for as long as the file is what it was, and not a moment longer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wptproto.handlers import known_files
from wptproto.handlers.known_files import KnownFiles

Change = Callable[[Path], object]


class Making:
    """Makes text of octets, and knows of which."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    def __call__(self, path: str, octets: bytes) -> str:
        self.seen.append(octets)
        return octets.decode()


def later() -> int:
    """The time when what is written now is not young any more."""
    return time.time_ns() + 10 * known_files._YOUNG_NS


def rewrite(path: Path) -> None:
    with path.open("r+") as file:
        file.write("two")


def replace(path: Path) -> None:
    new = path.with_name("new")
    new.write_text("two")
    new.rename(path)


def await_tick(path: Path) -> None:
    """Return when the clock of files has gone on since this one changed."""
    clock = path.with_name("clock")
    clock.touch()
    while clock.stat().st_ctime_ns <= path.stat().st_ctime_ns:
        clock.touch()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "it"
    path.write_text("one")
    return path


def test_what_is_old_is_read_once(path: Path) -> None:
    """Of a file that has been the same for a while, nothing is read or made a second time."""
    make = Making()
    files = KnownFiles(make, later)
    known = files.get(str(path))
    assert (known.octets, known.made) == (b"one", "one")
    assert known.status.st_size == 3
    assert files.get(str(path)) is known
    assert make.seen == [b"one"]


@pytest.mark.parametrize("posix", [True, False])
def test_what_is_young_is_read_again(path: Path, posix: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that has just changed is read each time, but nothing is made of the same octets again."""
    monkeypatch.setattr(known_files, "_CTIME_IS_OF_CHANGES", posix)
    make = Making()
    files = KnownFiles(make, time.time_ns if posix else later)
    first, second = files.get(str(path)), files.get(str(path))
    assert first is not second
    assert first.made is second.made
    assert make.seen == [b"one"]


def test_a_young_file_grows_old(path: Path) -> None:
    """When it was read again as an old one, it is known from then on."""
    now_ns = path.stat().st_ctime_ns
    files = KnownFiles(Making(), lambda: now_ns)
    files.get(str(path))
    now_ns += 10 * known_files._YOUNG_NS
    known = files.get(str(path))
    assert files.get(str(path)) is known


@pytest.mark.parametrize("change", [rewrite, replace])
def test_same_length_and_time(path: Path, change: Change) -> None:
    """Written over or replaced, to the same length and with its time set back, it is another file at once."""
    os.utime(path, ns=(1, 1))
    make = Making()
    files = KnownFiles(make, later)
    assert files.get(str(path)).made == "one"
    await_tick(path)  # as it is with whatever is old
    change(path)
    os.utime(path, ns=(1, 1))
    assert files.get(str(path)).made == "two"


@pytest.mark.parametrize("coarse", [True, False])
def test_within_a_tick(path: Path, coarse: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However quickly a file is written over, and however coarse its times are, what it is now is read."""
    if coarse:
        monkeypatch.setattr(known_files, "_version", lambda status: ())
    files = KnownFiles(Making())
    os.utime(path, ns=(1, 1))
    for number in range(100, 1000):
        with path.open("r+") as file:
            file.write(str(number))
        os.utime(path, ns=(1, 1))
        assert files.get(str(path)).made == str(number)


def test_what_cannot_be_read(path: Path) -> None:
    """A file that has gone, or has become something else, is not known any more."""
    files = KnownFiles(Making(), later)
    files.get(str(path))
    path.unlink()
    with pytest.raises(FileNotFoundError):
        files.get(str(path))
    path.mkdir()
    with pytest.raises(IsADirectoryError):
        files.get(str(path))


def test_what_cannot_be_made(path: Path) -> None:
    """Of a file of which nothing can be made, nothing is known, and it is tried each time."""
    make = Making()
    files = KnownFiles(make, later)
    path.write_bytes(b"\xff")
    for _ in range(2):
        with pytest.raises(UnicodeDecodeError):
            files.get(str(path))
    assert len(make.seen) == 2
    path.write_text("two")
    assert files.get(str(path)).made == "two"


def test_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of too many files, or too many octets of them, those that were read first are forgotten."""
    monkeypatch.setattr(known_files, "_MOST_FILES", 3)
    monkeypatch.setattr(known_files, "_MOST_OCTETS", 100)
    paths = [str(tmp_path / str(number)) for number in range(5)]
    make = Making()
    files = KnownFiles(make, later)

    def read(number: int, octets: int) -> bool:
        """Whether a file of so many octets was not known."""
        if not os.path.exists(paths[number]):
            Path(paths[number]).write_bytes(b"x" * octets)
        before = len(make.seen)
        files.get(paths[number])
        return len(make.seen) > before

    assert all(read(number, 10) for number in range(4))
    assert not any(read(number, 10) for number in (3, 2, 1))
    assert read(0, 10)
    assert not read(3, 10)
    assert read(4, 101)  # more than all
    assert all(read(number, 10) for number in (4, 3, 2))


def test_many_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks, on whatever thread, gets what had been written by then, or what has been since."""
    monkeypatch.setattr(known_files, "_MOST_FILES", 2)
    paths = [tmp_path / str(number) for number in range(4)]
    for path in paths:
        path.write_text("10000000")
    files = KnownFiles(Making())
    written = 10_000_000

    def read(number: int) -> bool:
        before = written
        return before <= int(files.get(str(paths[number % 4])).made) <= written + 1

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read, number) for number in range(2000)]
        while not readers[-1].done():
            for path in paths:
                with path.open("r+") as file:
                    file.write(str(written + 1))
            written += 1
        assert all(reader.result() for reader in readers)
    assert len(files._known) == 2
    assert files._octets == 16
