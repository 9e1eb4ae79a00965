"""Servers of the table: ours in this process, wptserve's in its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import wptproto
from tests.table.routes import routes
from tests.table.settings import SETTINGS
from wptproto import Server
from wptproto.server.config import Config

__all__ = ["start_ours", "start_wptserve"]

_CHECKOUT = Path(__file__).parent.parent.parent


def start_ours(root: Path, certs_dir: Path) -> Server:
    """Return our server of the table, to be used as a context manager."""
    handlers = SimpleNamespace(
        json_handler=wptproto.json_handler,
        handler=lambda function: function,
        StringHandler=wptproto.StringHandler,
        StaticHandler=wptproto.StaticHandler,
        ErrorHandler=wptproto.ErrorHandler,
        BasicAuthHandler=wptproto.BasicAuthHandler,
    )
    config = Config.from_dict(SETTINGS)
    return Server(root, routes(handlers, str(root)), certs_dir=certs_dir, config=config)


@contextmanager
def start_wptserve(python: str, root: Path) -> Iterator[int]:
    """Start wptserve with the Python of its environment; the value is its port."""
    command = [python, "-m", "tests.table.under_wptserve", str(root)]
    with subprocess.Popen(
        command, cwd=_CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
