"""Where names lead: looked at one by one, to the same as by Python's own way of following links."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wptproto.errors import HTTPException
from wptproto.handlers import filesystem
from wptproto.handlers.filesystem import look_up, resolve

NAMES = ("a", "b", "c.txt", "..a", "\xe9", "\udcff", "%41", "n" * 256)
LEADS = (*NAMES[:4], ".", "..", "../..", "/", "$ROOT", "$ROOT/a", "$ABOVE", "$ABOVE/root-and-more")

names = st.sampled_from(NAMES[:2]) | st.sampled_from(NAMES[:-1])
leads = names | st.lists(st.sampled_from(LEADS), min_size=1, max_size=3).map("/".join)
trees = st.lists(
    st.tuples(
        st.lists(names, min_size=1, max_size=3).map("/".join),
        st.sampled_from(("directory", "file")) | leads,
    ),
    min_size=2,
    max_size=8,
)
"""What is put where, one after the other, as far as it can be; else it is a link's target."""

segments = st.sampled_from(NAMES[:2]) | st.sampled_from((*NAMES, "", ".", ".."))
paths = st.lists(segments, min_size=1, max_size=4).map("/".join)
paths |= paths.map(lambda path: path + "/")
spellings = st.sampled_from((quote, lambda octets: "".join(f"%{octet:02x}" for octet in octets), "latin-1"))


@pytest.fixture(scope="module")
def above() -> Iterator[Path]:
    """A directory above all roots, which has no link in its path."""
    with tempfile.TemporaryDirectory() as made:
        above = Path(made).resolve()
        (above / "root-and-more").mkdir()
        for secret in ("a", "root-and-more/a", "root-and-more/c.txt"):
            (above / secret).touch()
        yield above


def planted(above: Path, tree: list[tuple[str, str]]) -> Path:
    """Return a root with what can be made of a tree."""
    root = Path(tempfile.mkdtemp(dir=above))
    for place, what in tree:
        path = root / place
        try:
            if not path.parent.resolve().is_relative_to(root):
                continue  # only what is looked at is made, not what lies around it
            path.parent.mkdir(parents=True, exist_ok=True)
            if what == "directory":
                path.mkdir()
            elif what == "file":
                path.touch(exist_ok=False)
            else:
                path.symlink_to(what.replace("$ROOT", str(root)).replace("$ABOVE", str(above)))
        except (OSError, RuntimeError):
            continue
    return root


def followed(root: Path, path: str) -> Path | str:
    """Return where ``pathlib`` finds what a path names, or what is said of that."""
    names = os.fsdecode(filesystem.decoded(path)).split("/")
    if ".." in names:
        return f"404: not a path below the document root: {path}"
    try:
        found = root.joinpath(*(name for name in names if name)).resolve(strict=True)
    except (OSError, RuntimeError):
        return f"404: no such file: {path}"
    if not found.is_relative_to(root):
        return f"404: not a path below the document root: {path}"
    if not names[-1] and not found.is_dir():
        return f"404: no such directory: {path}"
    return found


def resolved(root: Path, path: str) -> Path | str:
    """Return the same, as it is found when names are looked at one by one."""
    try:
        found = resolve(str(root), path)
    except HTTPException as error:
        return f"{error.code}: {error.message}"
    assert os.path.samestat(found.status, os.lstat(found.path))
    assert (found.is_directory, found.is_file) == (os.path.isdir(found.path), os.path.isfile(found.path))
    return Path(found.path)


@pytest.mark.parametrize("links_alone", [True, False])
def test_one_by_one(links_alone: bool, above: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever links there are in a tree, a path leads to the same, or is refused with the same words."""
    monkeypatch.setattr(filesystem, "_LINKS_ALONE_LEAD_ELSEWHERE", links_alone)
    outcomes = set()

    @settings(max_examples=300)
    @given(trees, paths, spellings)
    def run(tree: list[tuple[str, str]], path: str, spelling: object) -> None:
        root = planted(above, tree)
        octets = os.fsencode(path)
        spelt = "/" + (spelling(octets) if callable(spelling) else octets.decode("latin-1"))
        expected = followed(root, spelt)
        assert resolved(root, spelt) == expected
        if isinstance(expected, str):
            outcomes.add(expected.split(": ")[1])
        else:
            by_names = root.joinpath(*(name for name in path.split("/") if name))
            outcomes.add("found" if expected == by_names else "found by a link")

    run()
    assert outcomes == {
        "found",
        "found by a link",
        "no such directory",
        "no such file",
        "not a path below the document root",
    }


def test_only_where_a_link_is_are_links_followed(above: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path without links costs one look at each of its names, and none at those of the root."""
    root = planted(above, [("a/b/c.txt", "file"), ("b", "a")])
    looked = []
    lstat = os.lstat

    def look(path: str) -> os.stat_result:
        looked.append(path)
        return lstat(path)

    monkeypatch.setattr(os, "lstat", look)
    found = look_up(str(root), ["a", "", "b", ".", "c.txt"])
    assert found is not None
    assert found.path == f"{root}/a/b/c.txt"
    assert looked == [f"{root}/a", f"{root}/a/b", f"{root}/a/b/c.txt"]
    linked = look_up(str(root), ["b", "b", "c.txt"])
    assert linked is not None
    assert linked.path == found.path


def test_a_directory_becomes_a_link(above: Path) -> None:
    """Nothing is remembered of where a path led: what has become a link that leads out is 404."""
    root = planted(above, [("a/c.txt", "file"), ("a/a", "file")])
    assert resolve(str(root), "/a/a").is_file
    (root / "a").rename(root / "b")
    (root / "a").symlink_to(above / "root-and-more")
    for path in ("/a/c.txt", "/a/a", "/a/", "/a"):
        with pytest.raises(HTTPException, match="not a path below the document root"):
            resolve(str(root), path)
    (root / "a").unlink()
    (root / "b").rename(root / "a")
    assert resolve(str(root), "/a/a").is_file


def test_the_root_of_all() -> None:
    """The file system's own root is a root like others."""
    assert resolve("/", "/").path == "/"
    assert resolve("/", "/dev/./").path == "/dev"
