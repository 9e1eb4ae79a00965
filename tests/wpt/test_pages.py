"""Pages: what they load and in which order, and that nothing gets out of its place in them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from wptproto.wpt.metas import Metas
from wptproto.wpt.pages import (
    Page,
    Wrapped,
    any_page,
    classic_worker_script,
    module_page,
    module_worker_script,
    service_worker_page,
    shadow_realm_page,
    window_page,
    worker_page,
)

METAS = Metas(
    (
        ("global", "window,worker"),
        ("title", "a < b & c"),
        ("script", '/common/"x".js?a&b'),
        ("timeout", "long"),
        ("variant", "?1"),
        ("script", "y.js"),
    )
)
TEST = Wrapped(METAS, "/dir/x.any.js", "?a=b&c")
NASTY = Wrapped(Metas((("title", "</title><b>"), ("script", "</script>"))), '/"</script>', '?"</script>')
HARNESS = ["/resources/testharness.js", "/resources/testharnessreport.js"]
SCRIPTS = ['/common/"x".js?a&b', "y.js"]
PAGES = [
    window_page,
    any_page,
    module_page,
    worker_page("Worker"),
    worker_page("SharedWorker", module=True),
    service_worker_page(),
    service_worker_page(module=True),
    shadow_realm_page,
]
WORKER_SCRIPTS = [classic_worker_script, module_worker_script]


class Parsed(HTMLParser):
    """
    Attributes:
        tags: Names and attributes, in order.
        texts: What stands in titles and scripts.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())

    @property
    def sources(self) -> list[str | None]:
        return [attributes["src"] for tag, attributes in self.tags if "src" in attributes]


@pytest.mark.parametrize("page", PAGES)
def test_documents(page: Page) -> None:
    """A document has its encoding, metas in their order, the harness, and a place for results."""
    text = page(TEST)
    assert text.startswith("<!doctype html>\n")
    parsed = Parsed(text)
    assert parsed.tags[:3] == [
        ("meta", {"charset": "utf-8"}),
        ("title", {}),
        ("meta", {"name": "timeout", "content": "long"}),
    ]
    assert parsed.texts[0] == "a < b & c"
    assert parsed.sources[:2] == HARNESS
    assert ("div", {"id": "log"}) in parsed.tags


@pytest.mark.parametrize("page", PAGES)
def test_a_timeout_that_is_not_long(page: Page) -> None:
    """Only a long timeout is one, and without metas there is nothing of them."""
    assert page(Wrapped(Metas((("timeout", "short"),)), "/x", "")) == page(Wrapped(Metas(()), "/x", ""))


@pytest.mark.parametrize(
    ("page", "attributes"),
    [(window_page, {}), (any_page, {}), (module_page, {"type": "module"})],
)
def test_windows(page: Page, attributes: dict[str, str]) -> None:
    """In a window the harness comes first, then what metas name, then the test, without the query."""
    parsed = Parsed(page(TEST))
    assert parsed.sources == [*HARNESS, *SCRIPTS, "/dir/x.any.js"]
    assert parsed.tags[-1] == ("script", {**attributes, "src": "/dir/x.any.js"})


def test_a_window_that_is_one_scope_of_several() -> None:
    """A test for several scopes is told that this is a window, before the harness asks; others are not."""
    parsed = Parsed(any_page(TEST))
    told = "self.GLOBAL = {isWindow: () => true, isWorker: () => false, isShadowRealm: () => false};"
    assert parsed.texts[1] == told
    assert parsed.tags.index(("script", {})) < parsed.tags.index(("script", {"src": HARNESS[0]}))
    assert "GLOBAL" not in window_page(TEST) + module_page(TEST)


@pytest.mark.parametrize(
    ("page", "script"),
    [
        (worker_page("Worker"), 'fetch_tests_from_worker(new Worker("/dir/x.any.js?a=b&c"));'),
        (
            worker_page("SharedWorker", module=True),
            'fetch_tests_from_worker(new SharedWorker("/dir/x.any.js?a=b&c", {type: "module"}));',
        ),
    ],
)
def test_workers(page: Page, script: str) -> None:
    """A worker's page runs the worker, with the query, and loads nothing that is for the worker."""
    parsed = Parsed(page(TEST))
    assert parsed.sources == HARNESS
    assert parsed.texts[1:] == [script]


@pytest.mark.parametrize(("module", "options"), [(False, "{scope}"), (True, '{scope, type: "module"}')])
def test_service_workers(module: bool, options: str) -> None:
    """A service worker is registered with the query, for a scope that is no page's."""
    script = Parsed(service_worker_page(module=module)(TEST)).texts[1]
    assert f'register("/dir/x.any.js?a=b&c", {options})' in script
    assert 'const scope = "does/not/exist"' in script
    assert "fetch_tests_from_worker(registration.installing)" in script


def test_shadow_realms() -> None:
    """A realm is told what it is, and imports the harness, what metas name, and the test."""
    script = Parsed(shadow_realm_page(TEST)).texts[1]
    assert (
        "self.GLOBAL = {isWindow: () => false, isWorker: () => false, isShadowRealm: () => true};" in script
    )
    modules = re.search(r'\)\(("\[.*\]")\)', script)
    assert modules
    assert json.loads(json.loads(modules[1])) == [HARNESS[0], *SCRIPTS, "/dir/x.any.js"]


def test_classic_workers() -> None:
    """A classic worker loads the harness, what metas name in their order, the test, and is done."""
    assert classic_worker_script(TEST).splitlines() == [
        "self.GLOBAL = {isWindow: () => false, isWorker: () => true, isShadowRealm: () => false};",
        'importScripts("/resources/testharness.js");',
        'self.META_TITLE = "a < b & c";',
        r'importScripts("/common/\"x\".js?a&b");',
        'importScripts("y.js");',
        'importScripts("/dir/x.any.js");',
        "done();",
    ]


def test_module_workers() -> None:
    """A module's worker imports the same."""
    loaded = [line for line in module_worker_script(TEST).splitlines() if line.startswith("import")]
    assert loaded == [
        'import "/resources/testharness.js";',
        r'import "/common/\"x\".js?a&b";',
        'import "y.js";',
        'import "/dir/x.any.js";',
    ]


@pytest.mark.parametrize("page", PAGES)
def test_escapes(page: Page) -> None:
    """No meta and no URL ends the element in which it stands, or begins another."""
    harmless = Wrapped(Metas((("title", "t"), ("script", "s"))), "/x", "?y")
    assert [tag for tag, _ in Parsed(page(NASTY)).tags] == [tag for tag, _ in Parsed(page(harmless)).tags]
    assert Parsed(page(NASTY)).texts[0] == "</title><b>"


@pytest.mark.parametrize("page", [*PAGES, *WORKER_SCRIPTS])
def test_no_templates(page: Page) -> None:
    """A page that goes through ``sub`` has nothing of its own that is a template."""
    assert "{{" not in page(TEST)
