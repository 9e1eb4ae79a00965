"""
Wrappers: the URLs at which a script of tests is run, a page or a worker's script around it.

A test ``x.any.js`` has a URL for each kind of scope that its metas name: ``x.any.html`` in a window,
``x.any.worker.html`` in a worker, whose own script is ``x.any.worker.js``, and so on. ``x.window.js``
has ``x.window.html``, and ``x.worker.js``, a worker's whole script, ``x.worker.html``.

All of them are at every port. So are tests with ``.https.`` or ``.h2.`` in their names: whoever runs
a test chooses the port by its name, and at another port it fails by what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from wptproto.errors import HTTPException
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers import pipes
from wptproto.handlers.filesystem import ServedDirectory, names_in
from wptproto.handlers.header_files import lines_beside
from wptproto.wpt.metas import Metas, read_metas
from wptproto.wpt.pages import (
    Page,
    Wrapped,
    any_page,
    classic_worker_script,
    module_page,
    module_worker_script,
    service_worker_page,
    shadow_realm_page,
    window_page,
    worker_page,
)

__all__ = ["KINDS", "Kind", "Wrapper"]


@dataclass(frozen=True)
class Kind:
    """
    One kind of wrapper.

    Attributes:
        ending: How its URL's path ends.
        source: How the path of the test's script ends instead.
        page: Makes its text.
        loads: How the path ends of what the page loads; as that of the script, if not given.
        scope: The kind of scope that the metas have to name, or None for no condition.
    """

    ending: str
    source: str
    page: Page
    loads: str = ""
    scope: str | None = None

    @property
    def content_type(self) -> str:
        return "text/html" if self.ending.endswith(".html") else "text/javascript"


_CLASSIC = ".any.worker.js"
_MODULE = ".any.worker-module.js"

KINDS = (
    Kind(".any.html", ".any.js", any_page, scope="window"),
    Kind(".any.window-module.html", ".any.js", module_page, scope="window-module"),
    Kind(".any.worker.html", ".any.js", worker_page("Worker"), _CLASSIC, "dedicatedworker"),
    Kind(
        ".any.worker-module.html",
        ".any.js",
        worker_page("Worker", module=True),
        _MODULE,
        "dedicatedworker-module",
    ),
    Kind(".any.sharedworker.html", ".any.js", worker_page("SharedWorker"), _CLASSIC, "sharedworker"),
    Kind(
        ".any.sharedworker-module.html",
        ".any.js",
        worker_page("SharedWorker", module=True),
        _MODULE,
        "sharedworker-module",
    ),
    Kind(".any.serviceworker.html", ".any.js", service_worker_page(), _CLASSIC, "serviceworker"),
    Kind(
        ".any.serviceworker-module.html",
        ".any.js",
        service_worker_page(module=True),
        _MODULE,
        "serviceworker-module",
    ),
    Kind(".any.shadowrealm.html", ".any.js", shadow_realm_page, scope="shadowrealm"),
    Kind(_CLASSIC, ".any.js", classic_worker_script),
    Kind(_MODULE, ".any.js", module_worker_script),
    Kind(".window.html", ".window.js", window_page),
    Kind(".worker.html", ".worker.js", worker_page("Worker"), scope="dedicatedworker"),
)
"""All there are; where two match a path, the first is meant."""


class Wrapper(ServedDirectory):
    """
    Answers with what stands around the script that a path means.

    Fields come from the ``.headers`` files of that script. Pipes are those of the script's name and of
    the page's query.
    """

    def __init__(self, kind: Kind, root: Path, url_base: str = "/") -> None:
        """
        Args:
            kind: What it makes; the paths it is asked for end accordingly.
            root: The directory of the tests, resolved.
            url_base: The path where it is mounted.
        """
        super().__init__(root, url_base)
        self._kind = kind

    def __call__(self, request: Request, response: Response) -> None:
        kind = self._kind
        stem = request.path.removesuffix(kind.ending)
        source = stem + kind.source
        metas = self._metas(source)
        if kind.scope is not None and kind.scope not in metas.scopes:
            raise HTTPException(404, f"{source} is not for {kind.scope}: its metas name other scopes")
        response.headers.set("Content-Type", kind.content_type)
        for name, value in lines_beside(self.base_path, names_in(self.below(source)), request):
            response.headers.set(name, value)
        query = request.url_parts.query
        loaded = stem + (kind.loads or kind.source)
        response.content = kind.page(Wrapped(metas, loaded, f"?{query}" if query else ""))
        pipes.apply(pipes.pipe_string_for(loaded, query), request, response)

    def _metas(self, source: str) -> Metas:
        with self.open(self.find(source), source) as file:
            return read_metas(file, source)
