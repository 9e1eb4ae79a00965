"""README's examples are programs that run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.helpers.peers import Kind, connect
from wptproto import Server

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_in_a_test_suite(monkeypatch: pytest.MonkeyPatch, certs_dir: Path) -> None:
    """The first example starts a server and asks it."""
    made: list[Server] = []

    def here(**settings: object) -> Server:
        made.append(Server(certs_dir=certs_dir, **settings))  # type: ignore[arg-type]
        return made[0]

    monkeypatch.setattr("wptproto.Server", here)
    exec(compile(EXAMPLES[0], "README.md", "exec"), {})
    assert len(made) == 1


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_handlers(example: str, certs_dir: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """The handlers answer alike over all protocols."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    namespace: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), namespace)
    with (
        Server(routes=[("*", "/*", namespace["handler"])], certs_dir=certs_dir) as server,  # type: ignore[list-item]
        connect(server, kind) as peer,
    ):
        answer = peer.request()
    assert (answer.status, answer.text, answer.get("content-type")) == (
        200,
        "Some example content",
        "text/plain",
    )


def test_the_tree_is_the_one_there_is() -> None:
    """README's tree names each folder of the package."""
    package = Path(__file__).parent.parent / "wptproto"
    folders = {path.name for path in package.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(re.findall(r"^[├└]── (\w+)/", README, re.MULTILINE))
