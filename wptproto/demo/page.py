"""The pages of the demonstration: the index, and one to upload a file from."""

from __future__ import annotations

import inspect
import re
import shlex
from html import escape
from itertools import groupby

from wptproto.demo import faults
from wptproto.demo.family import Answer, Family
from wptproto.demo.handlers import DEMONSTRATIONS, Demonstration, filled_in, step_by_step
from wptproto.demo.template import fill_in
from wptproto.exchange.request import Request
from wptproto.exchange.response import Response
from wptproto.handlers.router import any_method
from wptproto.server.server import Server
from wptproto.version import __version__

__all__ = ["curl_commands", "index", "upload_page"]

_OPEN_AT_FIRST = (filled_in, step_by_step)


def index(request: Request, response: Response) -> None:
    """Say which protocol brought the page, and list the demonstrations, and the paths known from httpbin."""
    from wptproto.demo.httpbin import FAMILIES

    fill_in(
        response,
        "index.html",
        version=escape(__version__),
        protocol=escape(_protocol(request)),
        other_port=_other_port(request),
        commands=_commands(curl_commands(request.server, "/echo")),
        demonstrations="\n".join(_entry(shown, request.server) for shown in DEMONSTRATIONS),
        fault_command=_commands([_curl(request.server, "/fault/close?octet=40", "-i")]),
        faults="\n".join(_row([answer]) for answer in faults.ANSWERS),
        families="\n".join(map(_family, FAMILIES)),
    )


def upload_page(request: Request, response: Response) -> None:
    """Offer to upload a file; a script shows what comes back."""
    fill_in(response, "upload.html", protocol=escape(_protocol(request)))


def curl_commands(server: Server, path: str) -> list[str]:
    """Return the commands that fetch *path* from a running server by each protocol its ports speak."""
    commands: list[str] = []
    if server.http_port is not None:
        url = shlex.quote(server.http_url(path))
        commands += [f"curl --http1.1 {url}", f"curl --http2-prior-knowledge {url}"]
    if server.https_ports or server.h2_ports:
        commands.append(f"curl --http2 {_tls_arguments(server, path)}")
    return commands


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


def _family(family: Family) -> str:
    rows = "\n".join(_row(list(answers)) for _, answers in groupby(family.answers, key=_said))
    return f'<tbody>\n<tr><th colspan="2" scope="rowgroup">{escape(family.name)}</th></tr>\n{rows}\n</tbody>'


def _row(answers: list[Answer]) -> str:
    """Return the row of answers of which the same is said."""
    paths = "<br>\n".join(map(_path, answers))
    return f"<tr><td>{paths}</td><td>{_said(answers[0])}</td></tr>"


def _path(answer: Answer) -> str:
    """Return the path of an answer, with a link if a browser that follows it can be answered."""
    methods = {answer.methods} if isinstance(answer.methods, str) else set(answer.methods)
    path = escape(answer.pattern).replace("/", "<wbr>/")
    if methods & {"GET", any_method}:
        path = f'<a href="{escape(answer.link or answer.pattern)}">{path}</a>'
    if "GET" not in methods:
        path += (
            f" <small>{escape('any method' if any_method in methods else ', '.join(sorted(methods)))}</small>"
        )
    return path


def _said(answer: Answer) -> str:
    """Return what the docstring of a handler says, in which ``words`` are words that people write."""
    text = escape(inspect.getdoc(answer.handler) or "")
    return re.sub("``(.*?)``", r"<kbd>\1</kbd>", " ".join(text.split()))


def _commands(commands: list[str]) -> str:
    lines = "\n".join(f"<code>{escape(command)}</code>" for command in commands)
    return f'<pre class="commands">{lines}</pre>'


def _command(shown: Demonstration, link: str, server: Server) -> str:
    pipe = f"{shown.before_curl} | " if shown.before_curl else ""
    return f"{pipe}{_curl(server, link, shown.curl)}"


def _curl(server: Server, path: str, options: str) -> str:
    if server.http_port is not None:
        return f"curl {options} {shlex.quote(server.http_url(path))}"
    return f"curl {options} {_tls_arguments(server, path)}"


def _tls_arguments(server: Server, path: str) -> str:
    url = server.https_url(path) if server.https_ports else server.h2_url(path)
    return shlex.join(["--cacert", str(server.ca), url])


def _source(shown: Demonstration) -> str:
    """Return the source of a handler, without the sentence that stands beside it already."""
    source = inspect.getsource(shown.handler)
    return source.replace(f'    """{inspect.getdoc(shown.handler)}"""\n', "", 1).rstrip()
