"""The pages of the demonstration: the index, and one to upload a file from."""

from __future__ import annotations

import inspect
import shlex
from html import escape
from importlib import resources
from string import Template

from wptproto.demo.handlers import DEMONSTRATIONS, Demonstration, filled_in, step_by_step
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.server.server import Server
from wptproto.version import __version__

__all__ = ["curl_commands", "index", "upload_page"]

_OPEN_AT_FIRST = (filled_in, step_by_step)


def index(request: Request, response: Response) -> None:
    """Say which protocol brought the page, and list the demonstrations."""
    _fill_in(
        response,
        "index.html",
        version=escape(__version__),
        protocol=escape(_protocol(request)),
        other_port=_other_port(request),
        commands=_commands(curl_commands(request.server, "/echo")),
        demonstrations="\n".join(_entry(shown, request.server) for shown in DEMONSTRATIONS),
    )


def upload_page(request: Request, response: Response) -> None:
    """Offer to upload a file; a script shows what comes back."""
    _fill_in(response, "upload.html", protocol=escape(_protocol(request)))


def curl_commands(server: Server, path: str) -> list[str]:
    """Return the commands that fetch *path* from a running server by each protocol its ports speak."""
    commands: list[str] = []
    if server.http_port is not None:
        url = shlex.quote(server.http_url(path))
        commands += [f"curl --http1.1 {url}", f"curl --http2-prior-knowledge {url}"]
    if server.https_ports or server.h2_ports:
        commands.append(f"curl --http2 {_tls_arguments(server, path)}")
    return commands


def _fill_in(response: Response, name: str, **values: str) -> None:
    response.headers.set("Content-Type", "text/html; charset=utf-8")
    response.content = Template(_resource(name)).substitute(values, style=_resource("style.css"))


def _resource(name: str) -> str:
    return resources.files("wptproto.demo").joinpath(name).read_text("utf-8")


def _protocol(request: Request) -> str:
    """Return what brought a request, in the words of people."""
    version = "HTTP/2" if request.protocol_version == "HTTP/2.0" else request.protocol_version
    return f"{version} {'over TLS' if request.url_parts.scheme == 'https' else 'in the clear'}"


def _other_port(request: Request) -> str:
    """Return a link to the index at the server's other port, or nothing where it has but one."""
    server: Server = request.server
    secure = request.url_parts.scheme == "https"
    if (server.http_port if secure else server.https_port) is None:
        return ""
    url = escape(server.http_url() if secure else server.https_url())
    return f'<p>It is also at <a href="{url}">{url}</a></p>'


def _entry(shown: Demonstration, server: Server) -> str:
    link = shown.link or shown.pattern
    return (
        f'<section>\n<h3><a href="{escape(link)}">{escape(shown.pattern)}</a></h3>\n'
        f"<p>{escape(inspect.getdoc(shown.handler) or '')}</p>\n"
        f"{_commands([_command(shown, link, server)])}\n"
        f"<details{' open' if shown.handler in _OPEN_AT_FIRST else ''}><summary>Source</summary>"
        f"<pre>{escape(_source(shown))}</pre></details>\n</section>"
    )


def _commands(commands: list[str]) -> str:
    lines = "\n".join(f"<code>{escape(command)}</code>" for command in commands)
    return f'<pre class="commands">{lines}</pre>'


def _command(shown: Demonstration, link: str, server: Server) -> str:
    if server.http_port is not None:
        arguments = shlex.quote(server.http_url(link))
    else:
        arguments = _tls_arguments(server, link)
    pipe = f"{shown.before_curl} | " if shown.before_curl else ""
    return f"{pipe}curl {shown.curl} {arguments}"


def _tls_arguments(server: Server, path: str) -> str:
    url = server.https_url(path) if server.https_ports else server.h2_url(path)
    return shlex.join(["--cacert", str(server.ca), url])


def _source(shown: Demonstration) -> str:
    """Return the source of a handler, without the sentence that stands beside it already."""
    source = inspect.getsource(shown.handler)
    return source.replace(f'    """{inspect.getdoc(shown.handler)}"""\n', "", 1).rstrip()
