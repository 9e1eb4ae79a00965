"""Target: the server that is attacked, as its tests see it: where it is, what it holds, what it has spent."""

from __future__ import annotations

import json
import select
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.helpers.waiting import assert_soon

__all__ = ["Held", "Target", "Victim"]

ROOT = Path(__file__).resolve().parents[2]
ANSWER_S = 60.0
REST_S = 0.05
REST_SHARE, ASKED_SHARE = 0.05, 0.5
"""How much of the time a server may work that is at rest: with nobody there, and with a bystander."""
SETTLED_S = 60.0


@dataclass(frozen=True)
class Held:
    """
    What a server has in memory.

    Attributes:
        objects: Of each class that makes a connection, by its name.
        octets: Within reach of those.
        items: Of containers within reach.
        descriptors: That the process has open.
        threads: That it has; those without work stay for a while.
    """

    objects: Counter[str]
    octets: int
    items: int
    descriptors: int
    threads: int

    def more_than(self, before: Held) -> list[str]:
        """Return what there is more of than before, in words."""
        more = [f"{count} {name}" for name, count in (self.objects - before.objects).items()]
        if self.descriptors > before.descriptors:
            more.append(f"{self.descriptors - before.descriptors} descriptors")
        if self.octets > before.octets + 1024:  # a date, the texts of the last log line
            more.append(f"{self.octets - before.octets} octets")
        if self.items > before.items:
            more.append(f"{self.items - before.items} items")
        return more


class Victim:
    """The process that the servers under attack run in, one after the other."""

    def __init__(self, certs_dir: Path) -> None:
        command = [sys.executable, "-W", "error", "-m", "tests.hostile.victim", str(certs_dir)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
        )

    def ask(self, word: str, *rest: object) -> Any:
        """Ask one question (see ``victim.py``), and return the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([word, *rest]) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], ANSWER_S)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"{word}: the process of the server does not answer"
        return json.loads(line)

    def close(self) -> None:
        self.process.communicate()  # its input ends, and with it the process
        assert self.process.returncode == 0

    @contextmanager
    def serving(self, limits: Mapping[str, float] | None, doc_root: Path | None = None) -> Iterator[Target]:
        """Have a server, with those limits other than by default; None is without any."""
        found = self.ask("start", limits, None if doc_root is None else str(doc_root))
        try:
            target = Target(self, found)
            yield target
            assert not target.faults()
        finally:
            self.ask("stop")
            self.ask("log")


class Target:
    """
    One server under attack.

    Attributes:
        http_port: In the clear, both protocols.
        https_port: Over TLS, both protocols.
    """

    def __init__(self, victim: Victim, found: dict[str, Any]) -> None:
        self._victim = victim
        self.http_port: int = found["http_port"]
        self.https_port: int = found["https_port"]
        self._ca: str = found["ca"]
        self._log: list[tuple[str, str]] = []

    def client_context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self._ca)

    def held(self) -> Held:
        """Return what the server holds now."""
        found = self._victim.ask("held")
        return Held(**{**found, "objects": Counter(found["objects"])})

    def log(self) -> list[tuple[str, str]]:
        """Return what was logged until now: level, text."""
        self._log += [(level, text) for level, text in self._victim.ask("log")]
        return self._log

    def logged(self, text: str) -> bool:
        """Whether a line of the log has this in it."""
        return any(text in line for _, line in self.log())

    def faults(self) -> list[str]:
        """Return the lines of the log that tell of a fault of the server's own."""
        return [text for level, text in self.log() if level in ("ERROR", "CRITICAL")]

    def at_rest(self, wanted: Callable[[Held], bool] = lambda _: True, *, share: float = ASKED_SHARE) -> Held:
        """
        Wait until the processor has come to rest, and until what is held then is as wanted.

        No loop and no thread may go on that has nothing to do.

        Returns:
            What is held.
        """
        held: list[Held] = []

        def rests() -> bool:
            begun_s, spent_s = time.monotonic(), self._victim.ask("spent")
            time.sleep(REST_S)
            if self._victim.ask("spent") - spent_s > share * (time.monotonic() - begun_s):
                return False
            held[:] = [self.held()]
            return wanted(held[0])

        assert_soon(rests, within_s=SETTLED_S)
        return held[0]

    @contextmanager
    def nothing_left(self) -> Iterator[Held]:
        """
        See that all which the block has the server hold goes, and that the processor comes to rest.

        Yields:
            What was held before.
        """
        before = self.at_rest()
        yield before
        more: list[str] = []

        def is_let_go(held: Held) -> bool:
            more[:] = held.more_than(before)
            return not more

        try:
            self.at_rest(is_let_go, share=REST_SHARE)
        except AssertionError:
            raise AssertionError(f"the server goes on, or holds {', '.join(more)}") from None
