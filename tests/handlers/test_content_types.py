"""Content types by extension."""

from __future__ import annotations

import pytest

from wptproto.handlers.content_types import content_type_of


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/a.html", "text/html"),
        ("/a.sub.htm", "text/html"),
        ("/a.any.mjs", "text/javascript"),
        ("/a.md", "text/plain"),
        ("/a.wav", "audio/x-wav"),
        ("/a.event_stream", "text/event-stream"),
        ("/a.HTML", "application/octet-stream"),
        ("/a.html.gz", "application/octet-stream"),
        ("/a.pdf", "application/octet-stream"),
        ("/a", "application/octet-stream"),
        ("/a.", "application/octet-stream"),
        ("/.html", "application/octet-stream"),
        ("/a.html/b", "application/octet-stream"),
    ],
)
def test_content_type(path: str, kind: str) -> None:
    """What stands behind the last dot, in its very case, tells the type; all else is octets."""
    assert content_type_of(path) == kind
