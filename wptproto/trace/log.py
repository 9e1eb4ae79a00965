"""
The readable log: a line for each event, what it says below, and who says it by an arrow.

``→`` is for what the server sends, ``←`` for what comes. The number behind the time is the connection's.
"""

from __future__ import annotations

import os
from pathlib import Path

from wptproto.trace.events import TraceEvent
from wptproto.trace.log_words import Line, Said, Tone, said_of
from wptproto.trace.output import Output, TextOutput

__all__ = ["LogWriter", "wants_colours"]

_WORD_WIDTH = 13
_ESCAPES = {
    Tone.PLAIN: "",
    Tone.WIRE: "1",  # bold
    Tone.ASIDE: "2",  # faint
    Tone.WRONG: "31",  # red
    Tone.FAULT: "33",  # yellow
}
_SENT, _RECEIVED, _FAINT, _NAME = "32", "36", "2", "34"


class LogWriter:
    """Writes the readable log."""

    def __init__(
        self,
        to: str | Path | TextOutput,
        *,
        verbosity: int = 1,
        colours: bool | None = None,
        with_process: bool = False,
    ) -> None:
        """
        Args:
            to: A path or a text file.
            verbosity: 1 is for what peers say and do; 2 for excerpts of content, windows, HPACK's tables, and
                the octets of the transport, too.
            colours: Whether there are to be; None is for a terminal, where NO_COLOR is not set.
            with_process: Whether the number of the process stands before that of the connection.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._output = Output(to)
        self._verbosity = verbosity
        self._colours = wants_colours(to) if colours is None else colours
        self._arrows = _arrows(to)
        self._with_process = with_process
        self._began_s: float | None = None

    def __call__(self, event: TraceEvent) -> None:
        said = said_of(event, self._verbosity)
        if said is None:
            return
        if self._began_s is None:
            self._began_s = event.origin.at_s
        time = f"[{event.origin.at_s - self._began_s:8.3f}]"
        number = f"{os.getpid()}.{event.origin.connection}" if self._with_process else event.origin.connection
        before = f"{time} {number:>3} "
        head = self._paint(before, _FAINT) + self._first_line(said)
        margin = " " * (len(before) + 4)
        below = [f"{margin}{self._line(line)}\n" for line in said.lines]
        self._output.write("".join([head, "\n", *below]))

    def flush(self) -> None:
        """Have in the file what was written until now."""
        self._output.flush()

    def close(self) -> None:
        """Have everything in the file."""
        self._output.close()

    # --- within --------------------------------------------------------------------------------

    def _first_line(self, said: Said) -> str:
        arrow = "  "
        if said.sent is not None:
            arrow = self._paint(self._arrows[said.sent], _SENT if said.sent else _RECEIVED) + " "
        escape = _ESCAPES[said.tone]
        word = self._paint(f"{said.word:<{_WORD_WIDTH}}", escape)
        return f"{arrow}{word} {self._paint(said.rest, '' if said.tone is Tone.WIRE else escape)}".rstrip()

    def _line(self, line: Line) -> str:
        value = self._paint(line.value, _ESCAPES[line.tone])
        return f"{self._paint(line.name, _NAME)}: {value}" if line.name else value

    def _paint(self, text: str, escape: str) -> str:
        return f"\x1b[{escape}m{text}\x1b[0m" if self._colours and escape and text else text


def wants_colours(to: object) -> bool:
    """Whether there are to be colours: on a terminal, if NO_COLOR says nothing else."""
    is_terminal = getattr(to, "isatty", None)
    return is_terminal is not None and is_terminal() and not os.environ.get("NO_COLOR")


def _arrows(to: object) -> dict[bool, str]:
    encoding = getattr(to, "encoding", None) or "utf-8"
    try:
        "→←".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return {True: ">", False: "<"}
    return {True: "→", False: "←"}
