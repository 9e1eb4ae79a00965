"""
The page that lists a directory.

It is the one that wptserve shows, for clients that read it; but ASCII alone, so that it means the same
without a charset, and fit for names that are no UTF-8.
"""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote

__all__ = ["listing"]

_HEADERS = ".headers"


def listing(directory: str | Path, path: str) -> bytes:
    """
    Return HTML with a link to each entry of a directory, by name.

    A ``.headers`` file stands beside the file that it is for.

    Args:
        directory: What to list.
        path: By which it was asked for, as received; it ends with a slash.

    Raises:
        OSError: It cannot be read.
    """
    items = []
    if path != "/":
        # With two slashes in front, what follows them would be another host.
        items.append(_item("dir", "/" + path[: path.rindex("/", 0, -1) + 1].lstrip("/"), ".."))
    names = {name: os.path.isdir(os.path.join(directory, name)) for name in os.listdir(directory)}
    for name in sorted(names, key=lambda name: (name.removesuffix(_HEADERS), name)):
        if name.endswith(_HEADERS) and name.removesuffix(_HEADERS) in names:
            continue
        fields = name + _HEADERS if name + _HEADERS in names else None
        link = _quoted(name) + "/" if names[name] else _quoted(name)
        items.append(_item("dir" if names[name] else "file", link, name, fields))
    title = f"Directory listing for {escape(path)}"
    page = [
        "<!doctype html>",
        '<meta name="viewport" content="width=device-width">',
        f"<title>{title}</title>",
        f"<h1>{title}</h1>",
        "<ul>",
        *items,
        "</ul>",
        "",
    ]
    return "\n".join(page).encode("ascii", "xmlcharrefreplace")


def _item(kind: str, link: str, name: str, fields: str | None = None) -> str:
    shown = escape(os.fsencode(name).decode("utf-8", "replace"))
    beside = "" if fields is None else f' (<a href="{_quoted(fields)}">{_HEADERS}</a>)'
    return f'<li class="{kind}"><a href="{escape(link)}">{shown}</a>{beside}</li>'


def _quoted(name: str) -> str:
    """Return a name as a relative reference; a colon is encoded, so that no name is a scheme."""
    return quote(os.fsencode(name))
