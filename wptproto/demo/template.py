"""Pages of HTML, made of the files beside this one."""

from __future__ import annotations

from wptproto.exchange.response import Response

__all__ = ["fill_in"]


def fill_in(response: Response, name: str, **values: str) -> None:
    """Make a page the content of a response: a file, with values, which are HTML, for the names in it."""
    from string import Template

    response.headers.set("Content-Type", "text/html; charset=utf-8")
    response.content = Template(_resource(name)).substitute(values, style=_resource("style.css"))


def _resource(name: str) -> str:
    from importlib import resources

    return resources.files("wptproto.demo").joinpath(name).read_text("utf-8")
