"""
wptserve as a server of the table's files: ``python -m tests.table.under_wptserve ROOT``, where wptserve is.

It prints its port when it listens, and ends when its input does.
"""

from __future__ import annotations

import logging
import sys

import wptserve.handlers  # type: ignore[import-not-found]
import wptserve.logger  # type: ignore[import-not-found]
import wptserve.request  # type: ignore[import-not-found]
from wptserve.config import ConfigBuilder  # type: ignore[import-not-found]
from wptserve.routes import routes as usual_routes  # type: ignore[import-not-found]
from wptserve.server import WebTestHttpd  # type: ignore[import-not-found]
from wptserve.stash import StashServer  # type: ignore[import-not-found]

from tests.table.routes import routes
from tests.table.settings import SETTINGS


def main(root: str) -> None:
    # It names a thread's time-out in every line else.
    logging.disable()
    with StashServer(), ConfigBuilder(logging.getLogger(), doc_root=root, **SETTINGS) as config:
        served = [*routes(wptserve.handlers, root), *usual_routes]
        server = WebTestHttpd(port=0, doc_root=root, routes=served, config=config)
        # What a template says of ports has to be true, and is known only now.
        config.ports["http"] = [server.port]
        server.start()
        sys.stdout.write(f"{server.port}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main(sys.argv[1])
