"""Signals: what they do to the command line, which runs in a process of its own here."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.patient import patient
from tests.helpers.ports import quiet_port
from tests.helpers.waiting import assert_soon
from wptproto import Server, cli, signals
from wptproto.signals import STOP_SIGNALS, dumping, heard, until_stopped

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has other signals")

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 30

SLEEPER = """
import time

def main(request, response):
    time.sleep(60)
"""


class Command:
    """``wptproto serve`` in a process of its own, what it says, and its port."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        self.port = 0

    def said(self) -> str:
        return self.log.read_text()

    def send(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(TIMEOUT_S)


@contextmanager
def serving(
    certs_dir: Path,
    tmp_path: Path,
    *arguments: str,
    prefix: Sequence[str] = (),
) -> Iterator[Command]:
    """Run it with a script that sleeps, until it says that it listens."""
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "sleep.py").write_text(SLEEPER)
    log = tmp_path / "log"
    ports = ("--http-port", "0", "--https-port", "none", "--ready-json")
    command = [*patient(), "serve", str(tmp_path / "root")]
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*prefix, *command, *ports, "--certs", str(certs_dir), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            found = Command(process, log)
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, found.said()
            found.port = json.loads(line)["ports"]["http"]
            yield found
        finally:
            process.kill()


@contextmanager
def asleep(command: Command) -> Iterator[None]:
    """Have a handler sleep."""
    with socket.create_connection(("127.0.0.1", command.port), timeout=TIMEOUT_S) as sock:
        sock.sendall(b"GET /sleep.py HTTP/1.1\r\nHost: h\r\n\r\n")
        yield


# --- stopping --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_each_of_them_stops(certs_dir: Path, tmp_path: Path, number: signal.Signals) -> None:
    """It ends with 0, and its last words are what it cut off."""
    with serving(certs_dir, tmp_path) as command, asleep(command):
        assert_soon(lambda: dump_of(command).count("time.sleep(60)") > 0)
        command.send(number)
        assert command.wait() == 0
        assert command.said().endswith(" stopped, and cut off GET /sleep.py (its handler runs)\n")


WHILE_IT_IMPORTS = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever runs the tests may ignore it
sys.meta_path.insert(0, Interrupting())
from wptproto.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["wptproto.cli", "wptproto.signals"])
def test_before_there_is_anything_to_stop(module: str) -> None:
    """Ctrl-C while modules are imported ends it as any other program, and no traceback is seen."""
    process = [sys.executable, "-c", WHILE_IT_IMPORTS, module]
    done = subprocess.run(process, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_twice(certs_dir: Path, tmp_path: Path) -> None:
    """Signals that come while it stops change nothing."""
    with serving(certs_dir, tmp_path) as command:
        for _ in range(5):
            command.send(signal.SIGTERM)
            command.send(signal.SIGINT)
        assert command.wait() == 0
        assert command.said() == ""


def test_under_nohup(certs_dir: Path, tmp_path: Path) -> None:
    """Where SIGHUP is ignored, as below ``nohup``, it is left so."""
    program = "import os, signal, sys; signal.signal(1, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    with serving(certs_dir, tmp_path, prefix=[sys.executable, "-c", program]) as command:
        command.send(signal.SIGHUP)
        assert "listens: http" in dump_of(command)
        command.send(signal.SIGTERM)
        assert command.wait() == 0


def test_ignored_in_this_process() -> None:
    """A signal that is ignored stays ignored, and those that stop are ignored in the end."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with until_stopped():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("not reached")
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_parent_that_dies(certs_dir: Path, tmp_path: Path) -> None:
    """With ``--until-eof`` it ends when nobody can write to its stdin any more: its parent is gone."""
    with serving(certs_dir, tmp_path, "--until-eof") as command:
        assert command.process.stdin is not None
        command.process.stdin.write("whatever\n")
        command.process.stdin.flush()
        assert "listens: http" in dump_of(command)
        command.process.stdin.close()
        assert command.wait() == 0


def test_until_eof_without_stdin(certs_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stdin that is closed from the beginning has ended."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    monkeypatch.setattr(sys, "stdin", None)
    try:
        arguments = ["serve", "--demo", "--http-port", "0", "--https-port", "none", "--until-eof"]
        assert cli.main([*arguments, "--certs", str(certs_dir)]) == 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_nobody_reads_any_more(certs_dir: Path, tmp_path: Path) -> None:
    """Where nobody reads its stdout and stderr, it serves on, and ends with 0."""
    reader, writer = os.pipe()
    os.close(reader)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    port = quiet_port()  # nobody reads which it is
    command = [sys.executable, "-W", "error", "-m", "wptproto", "serve", "--demo", "--http-port", str(port)]
    with subprocess.Popen(
        [*command, "--https-port", "none"], cwd=tmp_path, env=environment, stdout=writer, stderr=writer
    ) as process:
        os.close(writer)
        try:
            assert_soon(lambda: answers(port))
            process.send_signal(signal.SIGUSR1)
            assert answers(port)
            process.send_signal(signal.SIGTERM)
            assert process.wait(TIMEOUT_S) == 0
        finally:
            process.kill()


def answers(port: int) -> bool:
    """Whether there is a server that answers."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as sock:
            sock.sendall(b"GET /filled-in HTTP/1.1\r\nHost: h\r\n\r\n")
            return sock.recv(100).startswith(b"HTTP/1.1 200 ")
    except ConnectionRefusedError:
        return False


def test_until_a_file_ends() -> None:
    """The end of any file can end the waiting; signals are ignored then, too, for the end is near."""
    reader, writer = os.pipe()
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        with until_stopped(until_eof=reader, by=[signal.SIGTERM]) as wait:
            assert signal.getsignal(signal.SIGINT) is before[signal.SIGINT]
            os.close(writer)
            wait()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        os.close(reader)
        for number, handler in before.items():
            signal.signal(number, handler)


def test_heard() -> None:
    """Signals that are heard do nothing, and leave their numbers, in the order of their coming."""
    numbers = [signal.SIGTERM, signal.SIGUSR1, signal.SIGHUP]
    before = {number: signal.getsignal(number) for number in numbers}
    with heard(numbers) as awake:
        for number in numbers:
            signal.raise_signal(number)
        assert list(awake.recv(100)) == numbers
        with pytest.raises(BlockingIOError):
            awake.recv(100)
    assert {number: signal.getsignal(number) for number in numbers} == before


# --- looking ---------------------------------------------------------------------------------------


def dump_of(command: Command) -> str:
    """Return what it says to one SIGUSR1."""
    before = command.said()
    command.send(signal.SIGUSR1)
    assert_soon(lambda: "\nstash: " in command.said().removeprefix(before))
    return command.said().removeprefix(before)


def test_a_dump(certs_dir: Path, tmp_path: Path) -> None:
    """SIGUSR1 prints what it is doing on stderr, as often as one likes, and it goes on."""
    with serving(certs_dir, tmp_path) as command, asleep(command):
        assert_soon(lambda: "1: GET /sleep.py" in dump_of(command))
        assert_soon(lambda: f"listens: http {command.port}\nconnections: 1\n" in dump_of(command))
        assert_soon(lambda: 'sleep.py", line 5, in main\n' in dump_of(command))


def test_stacks(certs_dir: Path, tmp_path: Path) -> None:
    """SIGUSR2 prints where all threads are, and asks none of them."""
    with serving(certs_dir, tmp_path) as command, asleep(command):
        assert_soon(lambda: "time.sleep(60)" in dump_of(command))
        before = command.said()
        command.send(signal.SIGUSR2)
        # The main thread, the loop's, and the handler's.
        assert_soon(lambda: command.said().removeprefix(before).count("hread 0x") >= 3)
        assert_soon(lambda: "sleep.py" in command.said().removeprefix(before))
        command.send(signal.SIGTERM)
        assert command.wait() == 0


def test_a_crash(certs_dir: Path, tmp_path: Path) -> None:
    """Where the interpreter itself crashes, its last words are where each thread was."""
    with serving(certs_dir, tmp_path) as command:
        command.send(signal.SIGSEGV)
        assert command.wait() == -signal.SIGSEGV
        assert "Fatal Python error: Segmentation fault" in command.said()


def test_leaves_signals_as_they_were(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """What was set before is set again; a crash was told about already, and stays so."""
    server = Server(https_port=None)
    before = signal.getsignal(signal.SIGUSR1)
    enabled = faulthandler.is_enabled()
    with dumping(server):
        signal.raise_signal(signal.SIGUSR1)
        assert faulthandler.is_enabled()
    assert signal.getsignal(signal.SIGUSR1) == before
    assert faulthandler.is_enabled() is enabled
    assert "listens: no\n" in capfd.readouterr().err


def test_without_signals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no stderr, or the system has no such signals, nothing is set."""
    before = signal.getsignal(signal.SIGUSR1)
    monkeypatch.setattr(sys, "stderr", None)
    with dumping(Server(https_port=None)):
        assert signal.getsignal(signal.SIGUSR1) == before
    monkeypatch.undo()
    monkeypatch.setattr(signals, "DUMP_SIGNAL", None)
    monkeypatch.setattr(signals, "STACKS_SIGNAL", None)
    with dumping(Server(https_port=None)):
        assert signal.getsignal(signal.SIGUSR1) == before
