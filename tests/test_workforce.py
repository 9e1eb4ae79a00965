"""Several processes: ``wptproto serve --workers``, each time a tree of processes of its own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.helpers.patient import patient
from tests.helpers.ports import quiet_port
from tests.helpers.waiting import assert_soon
from wptproto import ConfigError, Server, workforce
from wptproto.signals import STOP_SIGNALS
from wptproto.workforce import Workforce

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")

ROOT = Path(__file__).parent.parent
TIMEOUT_S = 30

SCRIPTS = {
    "pid.py": "import os\ndef main(request, response):\n    return str(os.getpid())\n",
    "sleep.py": "import time\ndef main(request, response):\n    time.sleep(60)\n",
    "block.py": "import time\nasync def main(request, response):\n    time.sleep(60)\n",
    "put.py": """
import os
def main(request, response):
    request.server.stash.put(request.GET.first(b"key"), {"by": os.getpid()}, "/here")
    return str(os.getpid())
""",
    "take.py": """
import json, os
def main(request, response):
    value = request.server.stash.take(request.GET.first(b"key"), "/here")
    return json.dumps([os.getpid(), value])
""",
    "own.py": """
class Own: pass
def main(request, response):
    request.server.stash.put(request.GET.first(b"key"), Own())
""",
    "count.py": """
import os
def main(request, response):
    stash, key = request.server.stash, request.GET.first(b"key")
    with stash.lock:
        counted, pids = stash.take(key) or (0, set())
        stash.put(key, (counted + 1, pids | {os.getpid()}))
    return str(counted + 1)
""",
    "long.py": """
import logging
def main(request, response):
    logging.getLogger("wptproto.test").warning("<%s>", "x" * 50_000)
""",
}


class Command:
    """``wptproto serve --workers`` in processes of its own, and what they say."""

    def __init__(
        self, process: subprocess.Popen[str], log: Path, facts: dict[str, Any], closing: ExitStack
    ) -> None:
        self.process = process
        self.closing = closing
        self.log = log
        self.facts = facts

    @property
    def port(self) -> int:
        found: int = self.facts["ports"]["http"]
        return found

    def said(self) -> str:
        return self.log.read_text()

    def connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        self.closing.callback(connection.close)
        return connection

    def get(self, path: str) -> str:
        """Get a path by a connection of its own, that is from any worker."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def pids(self) -> list[int]:
        """Return the workers, by asking until each has answered."""
        found: set[int] = set()

        def all_answer() -> bool:
            found.add(int(self.get("/pid.py")))
            return len(found) == 2

        assert_soon(all_answer)
        return sorted(found)

    def by_each(self) -> dict[int, http.client.HTTPConnection]:
        """Return a connection to each worker, by their processes."""
        found: dict[int, http.client.HTTPConnection] = {}

        def one_more() -> bool:
            connection = self.connect()
            connection.request("GET", "/pid.py")
            pid = int(connection.getresponse().read())
            if pid in found:
                connection.close()
            else:
                found[pid] = connection
            return len(found) == 2

        assert_soon(one_more)
        return found

    def ask(self, path: str) -> socket.socket:
        """Ask for something, and do not wait for the answer."""
        address = ("127.0.0.1", self.port)
        sock = self.closing.enter_context(socket.create_connection(address, timeout=TIMEOUT_S))
        sock.sendall(f"GET {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        return sock

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def serving(
    certs_dir: Path,
    tmp_path: Path,
    *arguments: str,
    http_port: int = 0,
    https_port: str = "none",
    program: Sequence[str] = (),
) -> Iterator[Command]:
    """Run two workers with scripts, until they have begun; none of them is there in the end."""
    root = tmp_path / "root"
    root.mkdir()
    for name, script in SCRIPTS.items():
        (root / name).write_text(script)
    log = tmp_path / "log"
    command = [*(program or patient()), "serve", str(root), "--ready-json"]
    ports = ["--http-port", str(http_port), "--https-port", https_port, "--certs", str(certs_dir)]
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [*command, *ports, *(arguments or ["--workers", "2"])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        ) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            with ExitStack() as closing:
                yield Command(process, log, json.loads(line), closing)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Whether there is no such process, or only what is left of it for its parent to see."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False


# --- serving ---------------------------------------------------------------------------------------


def test_each_of_them_answers(certs_dir: Path, tmp_path: Path) -> None:
    """Several processes answer on one port, and the one that printed where it is is none of them."""
    with serving(certs_dir, tmp_path) as command:
        pids = command.pids()
        assert len(set(pids)) == 2
        assert command.facts["pid"] == command.process.pid not in pids
        assert command.stop() == 0
        assert all(map(gone, pids))
        assert all(" GET /pid.py: 200, " in line for line in command.said().splitlines())


def test_by_a_config_file(certs_dir: Path, tmp_path: Path) -> None:
    """A config file may say how many there are; handlers read it there."""
    config = tmp_path / "config.json"
    config.write_text('{"workers": 2}')
    with serving(certs_dir, tmp_path, "--config", str(config)) as command:
        command.pids()
    with pytest.raises(ConfigError, match="workers: a number of processes from 1 to 999 is wanted, not 0"):
        Server(config=Server().config.from_dict({"workers": 0}))


def test_connections_are_shared_out(certs_dir: Path, tmp_path: Path) -> None:
    """Of many connections that come at once, none of two workers has nearly all."""
    if sys.platform != "linux":
        pytest.skip("other systems give them to whoever comes first")
    with serving(certs_dir, tmp_path) as command:
        socks = [command.ask("/pid.py") for _ in range(100)]
        answers = [sock.recv(65536) for sock in socks]
        shares = [sum(answer.endswith(str(pid).encode()) for answer in answers) for pid in command.pids()]
        assert sum(shares) == 100
        assert min(shares) > 15


def test_one_tls_session_for_all(certs_dir: Path, tmp_path: Path) -> None:
    """A session that began with one worker goes on with the other: there is one certificate, and one key."""
    with serving(certs_dir, tmp_path, https_port="0") as command:
        context = ssl.create_default_context(cafile=command.facts["ca"])
        context.maximum_version = ssl.TLSVersion.TLSv1_2  # in 1.3 a ticket comes later, and is for one use
        first: ssl.SSLSession | None = None
        pids: dict[int, bool] = {}

        def both_answer() -> bool:
            nonlocal first
            sock = socket.create_connection(("127.0.0.1", command.facts["ports"]["https"]), timeout=TIMEOUT_S)
            with context.wrap_socket(sock, server_hostname="localhost", session=first) as tls:
                tls.sendall(b"GET /pid.py HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                octets = b""
                while data := tls.recv(65536):
                    octets += data
                if first is None:
                    first = tls.session
                pids.setdefault(int(octets.rpartition(b"\n")[2]), bool(tls.session_reused))
            return len(pids) == 2

        assert_soon(both_answer)
        assert list(pids.values()) == [False, True]


# --- the stash -------------------------------------------------------------------------------------


def test_one_stash(certs_dir: Path, tmp_path: Path) -> None:
    """What a handler puts in one process, another takes in another, once."""
    with serving(certs_dir, tmp_path) as command:
        one, other = command.by_each().items()
        key = uuid4()
        one[1].request("GET", f"/put.py?key={key}")
        assert one[1].getresponse().read() == str(one[0]).encode()
        for expected in ({"by": one[0]}, None):
            other[1].request("GET", f"/take.py?key={key}")
            assert json.loads(other[1].getresponse().read()) == [other[0], expected]


def test_what_cannot_be_put(certs_dir: Path, tmp_path: Path) -> None:
    """A value that cannot go from process to process is an error that says why."""
    with serving(certs_dir, tmp_path) as command:
        answer = command.get(f"/own.py?key={uuid4()}")
        assert (
            "StashError: several processes serve here, so the stash takes only what can be pickled" in answer
        )


def test_one_lock(certs_dir: Path, tmp_path: Path) -> None:
    """The stash's lock keeps handlers in all processes from one another: nothing is counted twice."""
    with serving(certs_dir, tmp_path) as command:
        key = uuid4()
        socks = [command.ask(f"/count.py?key={key}") for _ in range(200)]
        answers = sorted(int(sock.recv(65536).rpartition(b"\n")[2]) for sock in socks)
        assert answers == list(range(1, 201))


# --- the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_stop(certs_dir: Path, tmp_path: Path, number: signal.Signals) -> None:
    """Each signal that stops one process stops all of them, at once, whatever their handlers do."""
    with serving(certs_dir, tmp_path) as command:
        pids = command.pids()
        socks = [command.ask("/sleep.py") for _ in range(20)]
        assert_soon(lambda: dump_of(command).count("time.sleep(60)") == 20)
        assert command.stop(number) == 0
        assert "did not end within" not in command.said()
        assert all(map(gone, pids))
        assert (
            len(re.findall(r"stopped, and cut off .*GET /sleep.py \(its handler runs\)", command.said())) == 2
        )
        assert "Traceback" not in command.said()
        for sock in socks:
            assert sock.recv(65536) == b""


def test_stop_by_the_terminal(certs_dir: Path, tmp_path: Path) -> None:
    """A Ctrl-C, which a terminal sends to all of them, is as one that was sent to the parent alone."""
    with serving(certs_dir, tmp_path) as command:
        pids = command.pids()
        os.killpg(command.process.pid, signal.SIGINT)
        assert command.process.wait(TIMEOUT_S) == 0
        assert all(map(gone, pids))
        assert all(" GET /pid.py: 200, " in line for line in command.said().splitlines())


def test_stop_by_the_end_of_stdin(certs_dir: Path, tmp_path: Path) -> None:
    """With ``--until-eof`` the end of stdin stops them all, and nothing that stands there before."""
    with serving(certs_dir, tmp_path, "--workers", "2", "--until-eof") as command:
        pids = command.pids()
        assert command.process.stdin is not None
        command.process.stdin.write("whatever\n")
        command.process.stdin.flush()
        assert command.pids() == pids
        command.process.stdin.close()
        assert command.process.wait(TIMEOUT_S) == 0
        assert all(map(gone, pids))


def test_stop_of_one_that_hangs(certs_dir: Path, tmp_path: Path) -> None:
    """A worker that does not stop is killed, and the log names it; one whose loop is blocked does stop."""
    program = patient({"wptproto.workforce.STOP_S": 6})  # the one that is blocked takes one second
    with serving(certs_dir, tmp_path, program=program) as command:
        blocked, hanging = command.by_each().items()
        blocked[1].request("GET", "/block.py")
        assert_soon(lambda: "its loop does not answer" in dump_of(command))
        os.kill(hanging[0], signal.SIGSTOP)
        assert command.stop() == 0
        last = command.said().splitlines()[-1]
        assert re.search(
            rf" worker [12] \(process {hanging[0]}\) did not end within 6 s, and is killed$", last
        )
        assert f"(process {blocked[0]}) did not" not in command.said()
        assert gone(hanging[0])


def test_a_parent_that_is_killed(certs_dir: Path, tmp_path: Path) -> None:
    """Workers whose parent is gone end, too, and say why."""
    with serving(certs_dir, tmp_path, http_port=quiet_port()) as command:
        pids = command.pids()
        command.process.kill()
        command.process.wait(TIMEOUT_S)
        assert_soon(lambda: all(map(gone, pids)))
        for pid in pids:
            assert re.search(rf"worker [12] \(process {pid}\) ends, for its parent is gone\n", command.said())
        with pytest.raises(ConnectionRefusedError):
            command.get("/pid.py")


@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGKILL, "was killed by SIGKILL"),
        (signal.SIGTERM, "has ended with exit status 0"),
    ],
)
def test_a_worker_that_ends(certs_dir: Path, tmp_path: Path, number: signal.Signals, how: str) -> None:
    """A worker that ends by itself is named in the log, and has a successor; no connection is refused."""
    with serving(certs_dir, tmp_path) as command:
        before = command.pids()
        os.kill(before[0], number)
        assert_soon(lambda: how in command.said())
        # Those that the system has given to the one that is no more wait for its successor.
        socks = [command.ask("/pid.py") for _ in range(20)]
        assert all(sock.recv(65536).startswith(b"HTTP/1.1 200 ") for sock in socks)
        after = command.pids()
        assert before[1] in after
        assert before[0] not in after
        assert re.search(
            rf" worker [12] \(process {before[0]}\) {how}; a successor begins in ", command.said()
        )
        assert command.stop() == 0
        assert all(map(gone, after))


def test_workers_that_keep_dying(certs_dir: Path, tmp_path: Path) -> None:
    """Successors of one that dies again and again begin later each time."""
    with serving(certs_dir, tmp_path) as command:
        killed = 0
        while killed < 3:
            with suppress(ConnectionError, http.client.HTTPException):
                os.kill(command.pids()[0], signal.SIGKILL)
                killed += 1
                assert_soon(lambda: command.said().count("was killed by SIGKILL") == killed)  # noqa: B023 -- it is asked at once
        pauses = [float(found) for found in re.findall(r"a successor begins in ([0-9.]+) s", command.said())]
        assert len(pauses) == 3
        assert max(pauses) > 0.05


def test_one_that_does_not_begin(certs_dir: Path, tmp_path: Path) -> None:
    """Where a worker cannot begin, the command ends, and says so."""
    done = run_with("Server.start = refuse")
    assert done.returncode == 2
    assert done.stdout == ""
    assert "no more of these" in done.stderr
    assert re.search(
        r"^wptproto: worker [12] \(process \d+\) has ended with exit status 1$", done.stderr, re.MULTILINE
    )


def test_one_that_cannot_be_had() -> None:
    """Where there can be no more processes, the command ends, and says so."""
    done = run_with("os.fork = refuse")
    assert done.returncode == 2
    assert (done.stdout, done.stderr) == ("", "wptproto: worker 1 cannot be had: no more of these\n")


def test_a_stop_before_all_have_begun() -> None:
    """A signal that comes before all have begun ends those that have."""
    done = run_with("Server.start = start_late")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def run_with(change: str) -> subprocess.CompletedProcess[str]:
    """Run the command, of which something was changed."""
    program = f"""
import os, signal, sys, time
from wptproto import cli
from wptproto.server.server import Server

def refuse(*_):
    raise OSError(11, "no more of these")

def start_late(_):
    os.kill(os.getppid(), signal.SIGTERM)
    while signal.SIGTERM not in signal.sigpending():
        time.sleep(0.001)

{change}
sys.exit(cli.main(sys.argv[1:]))
"""
    arguments = ["serve", "--demo", "--http-port", "0", "--https-port", "none", "--workers", "2"]
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (0, "has ended with exit status 0"),
        (3, "has ended with exit status 3"),
        (-signal.SIGSEGV, "was killed by SIGSEGV"),
        (-99, "was killed by signal 99"),
    ],
)
def test_in_words(status: int, said: str) -> None:
    """How a process has ended is said by its exit status, or by the signal's name where it has one."""
    assert workforce._in_words(status) == said


def test_on_a_thread_among_others() -> None:
    """Where other threads run, nothing is forked."""
    server = Server(https_port=None).start()  # has a thread
    try:
        with pytest.raises(ConfigError, match="can only be forked while no other thread runs"):
            Workforce(Server(https_port=None), 2).run(lambda: None)
    finally:
        server.stop()


# --- what they say ---------------------------------------------------------------------------------


def dump_of(command: Command) -> str:
    """Return what they say to one SIGUSR1."""
    before = command.said()
    command.process.send_signal(signal.SIGUSR1)
    assert_soon(lambda: command.said().removeprefix(before).count("\nstash: ") == 2)
    return command.said().removeprefix(before)


def test_a_dump(certs_dir: Path, tmp_path: Path) -> None:
    """SIGUSR1 has each of them say what it does, one after the other, with its number."""
    with serving(certs_dir, tmp_path) as command:
        command.get(f"/put.py?key={uuid4()}")
        said = dump_of(command)
        first, second = said.split("worker 2 (process ")
        for number, part in ((1, first), (2, "worker 2 (process " + second)):
            assert re.match(rf"worker {number} \(process \d+\) of 2:\nlistens: http {command.port}\n", part)
            assert part.endswith("stash: 1 value\n")


def test_stacks(certs_dir: Path, tmp_path: Path) -> None:
    """SIGUSR2 has each of them say where its threads are, one after the other."""
    with serving(certs_dir, tmp_path) as command:
        command.process.send_signal(signal.SIGUSR2)
        command.process.send_signal(signal.SIGUSR2)  # nothing is lost if it is sent again
        assert_soon(lambda: command.said().count("_work\n") >= 2)
        parts = re.split(r"worker \d \(process \d+\) of 2:\n", command.said())
        assert parts[0] == ""
        assert all(part.count("Current thread ") <= 1 for part in parts)


def test_one_that_does_not_answer(certs_dir: Path, tmp_path: Path) -> None:
    """A worker that does not answer a signal is not waited for for long."""
    with serving(certs_dir, tmp_path, program=patient({"wptproto.workforce.ANSWER_S": 0.5})) as command:
        pid = command.pids()[0]
        os.kill(pid, signal.SIGSTOP)
        command.process.send_signal(signal.SIGUSR1)
        assert_soon(lambda: f"(process {pid}) does not answer\n" in command.said())
        assert_soon(lambda: command.said().count("listens: http") == 1)
        os.kill(pid, signal.SIGCONT)


def test_lines_are_whole(certs_dir: Path, tmp_path: Path) -> None:
    """However long what two of them say at the same time is, nothing stands between."""
    reader, writer = os.pipe()
    log = tmp_path / "piped"
    with log.open("wb") as out, subprocess.Popen(["cat"], stdin=reader, stdout=out) as cat:
        os.close(reader)
        arguments = ["serve", "--demo", str(tmp_path), "--ready-json", "--workers", "2", "--http-port", "0"]
        process = subprocess.Popen(
            [sys.executable, "-m", "wptproto", *arguments, "--https-port", "none", "--certs", str(certs_dir)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=writer,
            text=True,
        )
        os.close(writer)
        (tmp_path / "long.py").write_text(SCRIPTS["long.py"])
        with process, ExitStack() as closing:
            assert process.stdout is not None
            command = Command(process, log, json.loads(process.stdout.readline()), closing)
            try:
                socks = [command.ask("/long.py") for _ in range(40)]
                assert all(sock.recv(65536) for sock in socks)
                assert command.stop() == 0
            finally:
                process.kill()
        cat.wait(TIMEOUT_S)
    lines = log.read_text().splitlines()
    assert sum(bool(re.fullmatch(r"[0-9:]{8} <x{50000}>", line)) for line in lines) == 40
    assert sum(" GET /long.py: 200, " in line for line in lines) == 40
