"""
Cut anywhere: the same octets in any pieces come to the same events and the same octets out.

And whatever the octets, nothing but events comes of them.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.careless import Careless
from tests.helpers.cutting import Opening, Trace, cuts, octet_by_octet, play
from tests.helpers.mutating import Mutation, mutate, mutations
from tests.helpers.samples import SAMPLES
from wptproto.protocol.connection import Connection
from wptproto.protocol.events import ContentFailed, Event, RequestEnded
from wptproto.protocol.h1 import H1Connection
from wptproto.semantics.fields import Fields
from wptproto.semantics.message import ResponseHead


def answer(connection: Connection, event: Event) -> list[Event]:
    """Answer each HTTP/1.1 request when it is complete, or will never be."""
    if isinstance(connection, H1Connection) and isinstance(event, RequestEnded | ContentFailed):
        connection.send_head(event.exchange_id, ResponseHead(200, Fields([(b"Content-Length", b"2")])))
        connection.send_content(event.exchange_id, b"ok", end=True)
        return connection.finish(event.exchange_id)
    return []


def trace(pieces: list[bytes], *, eof: bool = True) -> Trace:
    return play(pieces, opening=Opening(), answer=answer, eof=eof)


@pytest.mark.parametrize("eof", [True, False], ids=["eof", "open"])
@pytest.mark.parametrize("octets", SAMPLES.values(), ids=SAMPLES)
def test_octet_by_octet(octets: bytes, eof: bool) -> None:
    """It does not matter whether octets come at once or one by one."""
    assert trace(octet_by_octet(octets), eof=eof) == trace([octets], eof=eof)


@pytest.mark.parametrize("octets", SAMPLES.values(), ids=SAMPLES)
def test_cut_once(octets: bytes) -> None:
    """Nor where they are cut in two."""
    whole = trace([octets])
    for at in range(1, min(len(octets), 400)):
        assert trace([octets[:at], octets[at:]]) == whole


@settings(max_examples=200)
@given(st.data(), st.sampled_from(sorted(SAMPLES)))
def test_cut_anywhere(data: st.DataObject, name: str) -> None:
    """Nor where, and into how many."""
    octets = SAMPLES[name]
    assert trace(data.draw(cuts(octets))) == trace([octets])


# --- whatever the octets ---------------------------------------------------------------------------


@settings(max_examples=500)
@given(st.sampled_from(sorted(SAMPLES)), mutations, st.integers(0, 10_000), st.integers(1, 60), st.booleans())
def test_nothing_but_events(name: str, changes: list[Mutation], habit: int, size: int, eof: bool) -> None:
    """
    Whatever the octets, and however they are answered, no exception comes out of receive_data,
    receive_eof or finish.
    """
    octets = mutate(SAMPLES[name], changes)
    pieces = [octets[at : at + size] for at in range(0, len(octets), size)]
    opening, server = Opening(), Careless(habit)
    play(pieces, opening=opening, answer=server, eof=eof)
    if opening.connection is not None:
        server.leave(opening.connection)
