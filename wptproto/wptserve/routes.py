"""wptserve.routes: those that a server has if it is given none."""

from __future__ import annotations

from wptproto.handlers.router import Route, any_method
from wptproto.wptserve import handlers

__all__ = ["routes"]

routes: list[Route] = [
    (any_method, "*.py", handlers.python_script_handler),
    ("GET", "*.asis", handlers.as_is_handler),
    ("GET", "*", handlers.file_handler),
]
