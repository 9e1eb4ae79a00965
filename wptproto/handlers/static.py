"""StaticFiles: the files below a directory."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlunsplit

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.content_types import content_type_of
from wptproto.handlers.filesystem import Entry, ServedFiles, decoded, names_in
from wptproto.handlers.header_files import lines_beside
from wptproto.handlers.known_files import KnownFiles
from wptproto.handlers.selected import READ_AT_ONCE_OCTETS, Selected, entity_tag_of, send_as_asked

__all__ = ["StaticFiles"]


class StaticFiles(ServedFiles):
    """
    Answers with the file a path names, or with the listing of a directory.

    A file comes with the fields that ``.headers`` files beside it give it, whole or in the ranges that
    were asked for, and not at all to a client that has it. Pipes take what would have been sent.
    """

    def __init__(self, root: Path, url_base: str = "/") -> None:
        """
        Args:
            root: The directory, resolved.
            url_base: The path where it is mounted.
        """
        super().__init__(root, url_base)
        self._small_files = KnownFiles(lambda _, octets: entity_tag_of(octets))

    def __call__(self, request: Request, response: Response) -> None:
        found = self.find(request.path)
        if found.is_directory:
            self._list(found.path, request, response)
            return
        # By the name it was asked for: a link may have another than what it leads to.
        asked = os.fsdecode(decoded(request.path))
        fields = lines_beside(self.base_path, names_in(self.below(request.path)), request)
        typed = any(name.lower() == b"content-type" for name, _ in fields)
        if not typed:
            response.headers.append("Content-Type", content_type_of(asked))
        response.headers.update(fields)
        pipe_string = pipes.pipe_string_of(asked, request)
        selected = self._select(found, request.path)
        if send_as_asked(selected, request, response, piped=bool(pipe_string)):
            if response.status[0] == 304 and not typed:
                del response.headers["Content-Type"]  # it has it already (RFC 9110 §15.4.5)
            pipes.apply(pipe_string, request, response)

    def _select(self, found: Entry, path: str) -> Selected:
        """Return a file to be sent; one that is small is read, unless it is known."""
        if found.status.st_size > READ_AT_ONCE_OCTETS:
            return Selected.of_file(self.open(found, path))
        known = self.take(found, path, self._small_files.get)
        return Selected(known.octets, known.status, known.made)

    def _list(self, directory: str, request: Request, response: Response) -> None:
        if not request.path.endswith("/"):
            response.status = 301
            moved = request.url_parts._replace(path=request.url_parts.path + "/")
            response.headers.set("Location", urlunsplit(moved))
            response.headers.set("Content-Length", 0)  # for HEAD, too, of which the writer cannot know it
            return
        from wptproto.handlers.listing import listing

        try:
            page = listing(directory, request.path)
        except OSError as error:
            raise HTTPException(404, f"cannot be read: {request.path}: {error.strerror}") from error
        response.headers.set("Content-Type", "text/html")
        response.content = page
