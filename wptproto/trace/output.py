"""Output: a file that a trace is written to, whoever has opened it; and octets as text that does no harm."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Protocol, TextIO

from wptproto.errors import ConfigError

__all__ = ["Output", "TextOutput", "printable", "text_of"]


class TextOutput(Protocol):
    """What takes text: a file, or something like one."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> object: ...


class Output:
    """Text that goes to a file; one that was opened here is closed here."""

    def __init__(self, to: str | Path | TextOutput) -> None:
        """
        Args:
            to: A path, whose file is written anew; or a text file, which remains its owner's.

        Raises:
            ConfigError: The file cannot be written.
        """
        self._own: TextIO | None = None
        if isinstance(to, str | Path):
            try:
                # By lines: who looks while the server runs, or behind its crash, finds all there is.
                self._own = Path(to).open("w", encoding="utf-8", buffering=1)  # noqa: SIM115 -- see close()
            except OSError as error:
                raise ConfigError(f"trace: {to} cannot be written: {error.strerror}") from None
            self._file: TextOutput = self._own
        else:
            self._file = to

    def write(self, text: str) -> None:
        """Write whole lines, at once."""
        self._file.write(text)

    def flush(self) -> None:
        """Have in the file what was written until now."""
        with suppress(ValueError):  # its owner has closed it
            self._file.flush()

    def close(self) -> None:
        """Have everything in the file, and close it if it is ours."""
        if self._own is not None:
            self._own.close()
        else:
            self.flush()


def printable(text: str) -> str:
    """Return *text* without anything that a terminal would obey, or that would turn its order around."""
    return (
        text
        if text.isprintable()
        else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)
    )


def text_of(octets: bytes) -> str:
    """Return octets as text: ASCII as it is, others as ``\\xff``."""
    return printable(octets.decode("ascii", "backslashreplace"))
