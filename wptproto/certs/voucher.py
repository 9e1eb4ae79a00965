"""Voucher: a file that says of others that they were found to fit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from wptproto.private_files import write_file

__all__ = ["Voucher"]

_RULES = ("issuing.py", "terms.py", "host_names.py")
"""What says how certificates have to be."""


class Voucher:
    """
    A file that says of others that they were found to fit, by which rules and until when.

    To look whether they fit takes cryptography, which takes as long to import as all the rest of a server; a
    digest takes no time. It is that of all that was looked at, and of the rules, so nothing else is vouched
    for than what was found. Whoever could write a false voucher could as well write a false key.
    """

    def __init__(
        self, certificate: Path, files: Sequence[Path], meant: Sequence[object], rules: Sequence[str] = ()
    ) -> None:
        """
        Args:
            certificate: Whose voucher this is; it lies beside that.
            files: Those that are vouched for.
            meant: What the certificate is to be for.
            rules: Modules of this package that have rules for it, besides those for all.
        """
        self._path = certificate.with_name(f".{certificate.stem}.fits")
        self._files = (*(Path(__file__).with_name(name) for name in (*_RULES, *rules)), *files)
        self._meant = meant

    def digest(self) -> str:
        """Return a digest of the files as they are; nothing if one cannot be read."""
        found = sha256("\n".join(map(str, self._meant)).encode())
        try:
            for path in self._files:
                found.update(sha256(path.read_bytes()).digest())
        except OSError:
            return ""
        return found.hexdigest()

    def holds(self, now: datetime) -> bool:
        """Whether the files are as they were when they were vouched for, and do for the present."""
        try:
            digest, first, last = self._path.read_text("ascii").split()
            return digest == self.digest() and float(first) <= now.timestamp() <= float(last)
        except (OSError, ValueError):
            return False

    def write(self, digest: str, first: datetime, last: datetime) -> None:
        """Vouch for the files that had a digest when they were looked at, if that can be."""
        if not digest:
            return
        with suppress(OSError):
            write_file(self._path, f"{digest} {first.timestamp()} {last.timestamp()}\n".encode(), mode=0o644)
