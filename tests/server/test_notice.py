"""Notice: lines that a flood cannot multiply."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from wptproto.server import notice
from wptproto.server.notice import Notice


def test_once_in_an_interval(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The first is logged at once, and of those that follow one in an interval, with their number."""
    now_s = 1000.0
    monkeypatch.setattr(notice, "time", SimpleNamespace(monotonic=lambda: now_s))
    line = Notice()
    for _ in range(3):
        line.say("too many")
    Notice().say("another")
    now_s += notice.INTERVAL_S
    line.say("too many")
    now_s += notice.INTERVAL_S
    line.say("too many")
    said = [text for name, _, text in caplog.record_tuples if name == "wptproto.server"]
    assert said == ["too many", "another", "too many (2 times more before)", "too many"]
