"""
Pages: the text of what stands around a test's script, an HTML page or a worker's script.

Each loads the harness, ``/resources/testharness.js``, and then the test, in the kind of scope that it
is for. Metas keep their order; what comes from one of them, or from a URL, is escaped for its place.
No text here has two braces in a row, for they begin a template: a page goes through the pipes of its
script.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from string import Template

from wptproto.wpt.metas import Metas

__all__ = [
    "Page",
    "Wrapped",
    "any_page",
    "classic_worker_script",
    "module_page",
    "module_worker_script",
    "service_worker_page",
    "shadow_realm_page",
    "window_page",
    "worker_page",
]


@dataclass(frozen=True)
class Wrapped:
    """
    What a page is around.

    Attributes:
        metas: Those of the test's script.
        path: Of what the page loads: the script itself, or the worker's script around it.
        query: Of the page's URL, with its ``?``, or empty. Workers are given it; a window's script
            finds it in the window's location.
    """

    metas: Metas
    path: str
    query: str


Page = Callable[[Wrapped], str]


# --- in a window ---------------------------------------------------------------------------------


def window_page(test: Wrapped) -> str:
    """Return the page of a test that is for windows alone."""
    return _document(test.metas, *_script_elements(test), _LOG, _script_element(test.path))


def any_page(test: Wrapped) -> str:
    """Return the window's page of a test that is for several kinds of scope."""
    told = f"<script>\n{_told('isWindow')}\n</script>"
    body = (*_script_elements(test), _LOG, _script_element(test.path))
    return _document(test.metas, *body, before_harness=[told])


def module_page(test: Wrapped) -> str:
    """Return the page whose test is a module."""
    return _document(test.metas, *_script_elements(test), _LOG, _script_element(test.path, ' type="module"'))


# --- around workers ------------------------------------------------------------------------------


def worker_page(interface: str, *, module: bool = False) -> Page:
    """
    Return how to make a page that shows the results of a worker.

    Args:
        interface: ``Worker`` or ``SharedWorker``.
        module: Whether the worker's script is a module.
    """
    options = ', {type: "module"}' if module else ""

    def page(test: Wrapped) -> str:
        made = f"new {interface}({_in_script(test.path + test.query)}{options})"
        return _document(test.metas, _LOG, f"<script>\nfetch_tests_from_worker({made});\n</script>")

    return page


def service_worker_page(*, module: bool = False) -> Page:
    """Return how to make a page that registers a service worker anew and shows its results."""
    options = '{scope, type: "module"}' if module else "{scope}"

    def page(test: Wrapped) -> str:
        script = _SERVICE_WORKER.substitute(url=_in_script(test.path + test.query), options=options)
        return _document(test.metas, _LOG, script)

    return page


_SERVICE_WORKER = Template("""<script>
(async () => {
  const scope = "does/not/exist";
  const earlier = await navigator.serviceWorker.getRegistration(scope);
  await earlier?.unregister();
  const registration = await navigator.serviceWorker.register($url, $options);
  fetch_tests_from_worker(registration.installing);
})();
</script>""")


def shadow_realm_page(test: Wrapped) -> str:
    """Return the page that runs a test in a ShadowRealm of its own, and shows the results."""
    modules = ["/resources/testharness.js", *test.metas.of("script"), test.path]
    script = _SHADOW_REALM.substitute(told=_told("isShadowRealm"), modules=_in_script(json.dumps(modules)))
    return _document(test.metas, _LOG, script)


# Only functions and primitive values cross into the realm; so JSON does, and callbacks.
_SHADOW_REALM = Template("""<script>
(async () => {
  const realm = new ShadowRealm();
  realm.evaluate("globalThis.self = globalThis; 0");
  realm.evaluate(`search => {
    globalThis.location = {search};
  }`)(location.search);
  realm.evaluate(`fetchText => {
    globalThis.fetch_json = resource => new Promise((resolve, reject) => {
      fetchText(resource, text => resolve(JSON.parse(text)), reject);
    });
  }`)((resource, resolve, reject) => {
    fetch(resource).then(response => response.text()).then(resolve, error => reject(String(error)));
  });
  await new Promise(realm.evaluate(`(modules => (resolve, reject) => {
    $told
    const imported = JSON.parse(modules).reduce(
      (earlier, module) => earlier.then(() => import(module)), Promise.resolve());
    imported.then(() => resolve(), error => reject(String(error)));
  })`)($modules));
  await fetch_tests_from_shadow_realm(realm);
  done();
})();
</script>""")


# --- the workers' own scripts --------------------------------------------------------------------


def classic_worker_script(test: Wrapped) -> str:
    """Return the script of a worker that loads the test by ``importScripts``."""
    return _worker_script(test, "importScripts(%s);")


def module_worker_script(test: Wrapped) -> str:
    """Return the module of a worker that imports the test, as all imports, before anything else is done."""
    return _worker_script(test, "import %s;")


def _worker_script(test: Wrapped, load: str) -> str:
    lines = [_told("isWorker"), load % '"/resources/testharness.js"']
    for key, value in test.metas.pairs:
        if key == "script":
            lines.append(load % json.dumps(value))
        elif key == "title":
            lines.append(f"self.META_TITLE = {json.dumps(value)};")
    lines += [load % json.dumps(test.path), "done();", ""]
    return "\n".join(lines)


# --- parts ---------------------------------------------------------------------------------------

_LOG = '<div id="log"></div>'


def _document(metas: Metas, *after_harness: str, before_harness: Iterable[str] = ()) -> str:
    lines = [
        "<!doctype html>",
        '<meta charset="utf-8">',
        *_meta_elements(metas),
        *before_harness,
        _script_element("/resources/testharness.js"),
        _script_element("/resources/testharnessreport.js"),
        *after_harness,
        "",
    ]
    return "\n".join(lines)


def _meta_elements(metas: Metas) -> Iterable[str]:
    for key, value in metas.pairs:
        if (key, value) == ("timeout", "long"):
            yield '<meta name="timeout" content="long">'
        elif key == "title":
            yield f"<title>{escape(value, quote=False)}</title>"


def _script_elements(test: Wrapped) -> Iterable[str]:
    return (_script_element(url) for url in test.metas.of("script"))


def _script_element(url: str, attributes: str = "") -> str:
    return f'<script{attributes} src="{escape(url)}"></script>'


def _told(what: str) -> str:
    """Return the statement by which a test comes to know the scope it is in."""
    kinds = ("isWindow", "isWorker", "isShadowRealm")
    told = ", ".join(f"{kind}: () => {'true' if kind == what else 'false'}" for kind in kinds)
    return f"self.GLOBAL = {{{told}}};"


def _in_script(text: str) -> str:
    """Return a text as a literal of JavaScript, in which no tag ends the script around it."""
    return json.dumps(text).replace("<", r"\u003c")
