"""The content type of a file, by the extension of its name; the system has no say in it."""

from __future__ import annotations

from posixpath import splitext

__all__ = ["CONTENT_TYPES", "content_type_of"]

_EXTENSIONS = {
    "application/json": "json",
    "application/wasm": "wasm",
    "application/x-xpinstall": "xpi",
    "application/xhtml+xml": "xht xhtm xhtml",
    "application/xml": "xml",
    "audio/mp4": "m4a",
    "audio/mpeg": "mp3",
    "audio/ogg": "oga",
    "audio/webm": "weba",
    "audio/x-wav": "wav",
    "image/avif": "avif",
    "image/bmp": "bmp",
    "image/gif": "gif",
    "image/jpeg": "jpeg jpg",
    "image/png": "png",
    "image/svg+xml": "svg",
    "text/cache-manifest": "manifest",
    "text/css": "css",
    "text/event-stream": "event_stream",
    "text/html": "htm html",
    "text/javascript": "js mjs",
    "text/plain": "md txt",
    "text/vtt": "vtt",
    "video/mp4": "m4v mp4",
    "video/webm": "webm",
}

CONTENT_TYPES = {
    extension: kind for kind, extensions in _EXTENSIONS.items() for extension in extensions.split()
}
"""Those that the Web Platform Tests count on, and no others: their own tests know what has no type."""


def content_type_of(path: str) -> str:
    """Return the content type for a path; ``application/octet-stream`` for an extension not known."""
    return CONTENT_TYPES.get(splitext(path)[1][1:], "application/octet-stream")
