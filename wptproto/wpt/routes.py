"""Routes: what answers in a checkout before its files and scripts do."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from wptproto.handlers.ready_made import ErrorHandler
from wptproto.handlers.router import Route, literal
from wptproto.handlers.script import Scripts
from wptproto.handlers.static import StaticFiles
from wptproto.wpt.wrappers import KINDS, Wrapper

__all__ = ["REWRITES", "routes"]

REWRITES = (("GET", "/resources/WebIDLParser.js", "/resources/webidl2/lib/webidl2.js"),)
"""Methods, path, and the path of the file that is there under another name."""

_SCRIPTS_OF_WELL_KNOWN_PLACES = (
    ("*", "attribution-reporting/report-event-attribution"),
    ("*", "attribution-reporting/debug/report-event-attribution"),
    ("*", "attribution-reporting/report-aggregate-attribution"),
    ("*", "attribution-reporting/debug/report-aggregate-attribution"),
    ("*", "attribution-reporting/debug/verbose"),
    ("GET", "interest-group/permissions/"),
    ("*", "private-aggregation/*"),
    ("*", "web-identity"),
)
"""Methods, and paths below ``/.well-known/``; browsers choose these, so a script's has no ``.py``."""


def routes(root: Path, mounts: Mapping[str, Path]) -> list[Route]:
    """
    Return the routes of a checkout that come before the usual ones of a document root.

    Args:
        root: Its directory, resolved.
        mounts: Other directories, resolved, by the paths that they are mounted at: tests in them have
            their wrappers, too. A path that does not end in ``/`` is a file's, and has none.
    """
    scripts, files, hidden = Scripts(root), StaticFiles(root), ErrorHandler(404)
    directories = {path: mounts[path] for path in sorted(mounts, key=len, reverse=True) if path.endswith("/")}
    return [
        ("GET", "/tools/runner/*", files),
        ("POST", "/tools/runner/update_manifest.py", scripts),
        ("*", "/_certs/*", hidden),
        ("*", "/tools/*", hidden),
        ("*", "/{spec}/tools/*", hidden),
        ("*", "/results/", hidden),
        *(
            ("GET", f"{literal(path)}*{kind.ending}", Wrapper(kind, directory, path))
            for path, directory in {**directories, "/": root}.items()
            for kind in KINDS
        ),
        *((methods, f"/.well-known/{path}", scripts) for methods, path in _SCRIPTS_OF_WELL_KNOWN_PLACES),
    ]
