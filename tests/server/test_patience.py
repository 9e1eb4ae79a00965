"""How long a peer may keep a connection waiting."""

from __future__ import annotations

import pytest

from wptproto.limits import Limits
from wptproto.protocol.connection import Awaits
from wptproto.server.patience import Patience, look_interval_s

LIMITS = Limits(handshake_s=1, idle_s=2, head_s=3, content_gap_s=4)


@pytest.mark.parametrize(
    ("awaits", "limit_s"),
    [(Awaits.HANDSHAKE, 1), (Awaits.REQUEST, 2), (Awaits.HEAD, 3), (Awaits.CONTENT, 4)],
)
def test_each_has_its_limit(awaits: Awaits, limit_s: float) -> None:
    """It begins when the connection is found waiting, and the reason says for what."""
    patience = Patience(LIMITS)
    assert patience.exhausted(awaits, 0, 100) is None
    assert patience.exhausted(awaits, 0, 100 + limit_s) is None
    assert patience.exhausted(awaits, 0, 100.1 + limit_s) == f"{awaits.value} did not come within {limit_s} s"


def test_progress_begins_anew() -> None:
    """Whoever gets on is not late, and neither is whoever is waited for no more."""
    patience = Patience(LIMITS)
    for now_s in range(100):
        assert patience.exhausted(Awaits.CONTENT, now_s // 4, now_s) is None
    assert patience.exhausted(Awaits.NOTHING, 0, 100) is None
    assert patience.exhausted(Awaits.NOTHING, 0, 1000) is None
    assert patience.exhausted(Awaits.CONTENT, 0, 1001) is None


@pytest.mark.parametrize(("limits", "interval_s"), [(Limits(), 1), (LIMITS, 0.25), (Limits.none(), 1)])
def test_how_often_to_look(limits: Limits, interval_s: float) -> None:
    """A few times for the shortest limit, and once a second at least."""
    assert look_interval_s(limits) == interval_s
