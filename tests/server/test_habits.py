"""What is remembered of handlers that block."""

from __future__ import annotations

import sys
import time
from itertools import chain, repeat
from types import SimpleNamespace

import pytest

from wptproto.exchange.signal import waiting
from wptproto.server import habits
from wptproto.server.habits import Habits, Kind

KIND: Kind = (1, "/")


def nothing() -> None:
    pass


def told(*times_s: float) -> SimpleNamespace:
    """Return what tells these times in the place of the module, the last of them again and again."""
    times = chain(times_s, repeat(times_s[-1]))
    return SimpleNamespace(monotonic=lambda: next(times))


def be_quick(known: Habits, kind: Kind, times: int) -> None:
    for _ in range(times):
        assert not known.trust(kind)
        known.watch(kind, nothing)


def be_slow(known: Habits, monkeypatch: pytest.MonkeyPatch, *, waits: int) -> None:
    counts = iter((7, 7 + waits))
    with monkeypatch.context() as patch:
        patch.setattr(habits, "time", told(0.0, habits.LONG_S))
        patch.setattr(habits, "waits_of_this_thread", lambda: next(counts))
        known.watch(KIND, nothing)


def test_trusted_at_first() -> None:
    """Whoever has not blocked is trusted, and nothing is kept of it."""
    known = Habits()
    assert known.trust(KIND)
    known.watch(KIND, nothing)
    assert known.trust(KIND)
    assert not known._habits


def test_trusted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has blocked has to be quick ten times to be trusted again, then forty, at most a thousand."""
    monkeypatch.setattr(habits, "time", told(0.0))
    known = Habits()
    for times in (10, 40, 160, 640, 1000, 1000):
        known.has_blocked(KIND)
        be_quick(known, KIND, times)
        assert known.trust(KIND)


def test_without_a_break(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who blocks elsewhere begins again."""
    monkeypatch.setattr(habits, "time", told(0.0))
    known = Habits()
    known.has_blocked(KIND)
    be_quick(known, KIND, 9)
    known.watch(KIND, waiting.is_next)  # says that it waits
    be_quick(known, KIND, 39)
    be_slow(known, monkeypatch, waits=1)
    be_quick(known, KIND, 40)
    assert known.trust(KIND)


def test_kept_from_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who took long, but has not waited, was not given the processor, and is as quick as ever."""
    monkeypatch.setattr(habits, "time", told(0.0))
    known = Habits()
    known.has_blocked(KIND)
    be_quick(known, KIND, 9)
    be_slow(known, monkeypatch, waits=0)
    assert known.trust(KIND)


def test_suspects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes long is looked at more closely the next time: has it waited?"""
    waits = 5
    monkeypatch.setattr(habits, "waits_of_this_thread", lambda: waits)
    known = Habits()
    for took_s, waited, is_trusted in ((0.0, 1, True), (habits.LONG_S, 0, True), (habits.LONG_S, 1, False)):
        assert known.waits_before(KIND) is None
        known.was_trusted(KIND, habits.LONG_S, None)
        before = known.waits_before(KIND)
        assert before == waits
        waits += waited
        known.was_trusted(KIND, took_s, before)
        assert known.trust(KIND) is is_trusted


def test_suspects_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Full, it begins again."""
    monkeypatch.setattr(habits, "_MAX_HABITS", 2)
    known = Habits()
    for number in range(3):
        known.was_trusted((number, "/"), habits.LONG_S, None)
    assert [known.waits_before((number, "/")) is None for number in range(3)] == [True, True, False]


def test_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, to block is the first mistake again."""
    known = Habits()
    for now_s, times in ((100.0, 10), (101.0, 40), (120.0, 10)):
        monkeypatch.setattr(habits, "time", told(now_s))
        known.has_blocked(KIND)
        be_quick(known, KIND, times)
        assert known.trust(KIND)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell of a thread")
def test_waits() -> None:
    """To sleep is to wait, and to go on is not."""
    before = habits.waits_of_this_thread()
    time.sleep(0.001)
    assert habits.waits_of_this_thread() > before


def test_new_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """A handler that has blocked on one path is not trusted on others, until it has been quick there."""
    monkeypatch.setattr(habits, "time", told(0.0))
    known = Habits()
    known.has_blocked(KIND)
    assert known.trust((2, "/"))  # another handler
    be_quick(known, (1, "/new"), 5)
    be_quick(known, (1, "/newer"), 5)
    assert known.trust((1, "/newest"))
    assert not known.trust(KIND)


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten when there are too many."""
    monkeypatch.setattr(habits, "_MAX_HABITS", 2)
    known = Habits()
    for number in range(3):
        known.has_blocked((number, "/"))
    assert [known.trust((number, "/")) for number in range(3)] == [True, True, False]
