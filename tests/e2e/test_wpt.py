"""Chromium runs pages of a small checkout over h2: wrappers, templates, scripts, and several hosts."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import queue
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from wptproto import Request, Response, Server, wpt
from wptproto.welcome import resolver_rules

TIMEOUT_S = 60.0

# A harness as small as can be: tests run one behind the other, when the script that has them is through,
# and what they say goes to whoever is around.
HARNESS = """
const tests = [];
self.promise_test = (run, name) => tests.push([name, run]);
self.assert_equals = (found, wanted) => {
  if (found !== wanted) throw new Error(`${JSON.stringify(found)} is not ${JSON.stringify(wanted)}`);
};
const results = async () => {
  const said = [];
  for (const [name, run] of tests) {
    try { await run(); said.push([name, "passed"]); } catch (error) { said.push([name, String(error)]); }
  }
  return said;
};
let finished;
const all = new Promise(resolve => { finished = resolve; }).then(results);
self.done = () => finished();
if (self.window) {
  const report = said => parent.postMessage({url: location.href, title: document.title, said}, "*");
  self.fetch_tests_from_worker = worker => {
    const port = worker.port ?? (self.ServiceWorker && worker instanceof ServiceWorker
      ? navigator.serviceWorker : worker);
    port.onmessage = message => report(message.data);
    (worker.port ?? worker).postMessage("connect");
  };
  self.addEventListener("load", () => { done(); if (tests.length) all.then(report); });
} else {
  self.onmessage = message => all.then(said => (message.source ?? self).postMessage(said));
  self.onconnect = connection => all.then(said => connection.ports[0].postMessage(said));
}
"""

SCOPES = (
    "window",
    "window-module",
    "dedicatedworker",
    "dedicatedworker-module",
    "sharedworker",
    "sharedworker-module",
    "serviceworker",
    "serviceworker-module",
)

SCOPES_TEST = f"""// META: global={",".join(SCOPES)}
// META: script=/common/told.js
// META: title=Scopes & <others>
// META: timeout=long
promise_test(async () => assert_equals(self.told, "by /common/told.js"), "a script that a meta names");
promise_test(async () => {{
  const answer = await fetch("/version.py?scopes", {{cache: "no-store"}});
  assert_equals(await answer.text(), "HTTP/2.0 scopes");
  const [entry] = performance.getEntriesByName(new URL("/version.py?scopes", self.origin).href);
  assert_equals(entry.nextHopProtocol, "h2");
}}, "a script of the server's, over h2");
promise_test(async () => assert_equals(
  self.GLOBAL?.isWorker() ?? "not told", !self.window || (document.querySelector("[type=module]")
    ? "not told" : false)), "what it is told of its scope");
"""

WINDOW_TEST = """// META: script=/common/told.js
// META: title=A window
// META: variant=?one
const entry = performance.getEntriesByType("navigation")[0];
promise_test(async () => assert_equals(entry.nextHopProtocol, "h2"), "the page came over h2");
promise_test(async () => assert_equals(location.search, "?one"), "its query");
promise_test(async () => assert_equals(document.title, "A window"), "its title");
promise_test(async () => assert_equals(self.told, "by /common/told.js"), "a script that a meta names");
"""

NAMES_TEST = """<!doctype html>
<meta charset="utf-8">
<title>Names</title>
<script src="/resources/testharness.js"></script>
<script>
const port = "{{ports[https][0]}}";
const across = host => fetch(`https://${host}:${port}/cors.py?${host}`, {headers: {"X-Asked": "yes"}});
promise_test(async () => {
  assert_equals(performance.getEntriesByType("navigation")[0].nextHopProtocol, "h2");
  assert_equals("{{location[host]}}", location.host);
}, "the page came over h2");
promise_test(async () => {
  const hosts = ["{{domains[www1]}}", "{{hosts[alt][]}}", "{{hosts[][élève]}}", "{{domains[www2.www]}}"];
  for (const host of hosts) {
    assert_equals(await (await across(host)).text(), `HTTP/2.0 ${host} yes`);
  }
}, "other origins that allow it, after a preflight");
promise_test(async () => {
  assert_equals(await across("{{domains[www]}}").catch(error => error.name), "TypeError");
}, "another origin that does not allow it");
promise_test(async () => {
  const gone = fetch(`https://{{hosts[][nonexistent]}}:${port}/`, {mode: "no-cors"});
  assert_equals(await gone.catch(error => error.name), "TypeError");
}, "a name that leads nowhere");
</script>
"""

CORS = """
def main(request, response):
    host = request.url_parts.hostname
    if not host.startswith("www."):
        response.headers.set("Access-Control-Allow-Origin", request.headers[b"origin"])
        response.headers.set("Access-Control-Allow-Headers", "X-Asked")
    asked = request.headers.get(b"x-asked", b"").decode()
    return f"{request.protocol_version} {request.url_parts.query} {asked}"
"""

# One page behind the other: two service workers for one scope would unregister each other.
RUNNER = """<!doctype html>
<script>
(async () => {
  for (const url of %s) {
    const frame = document.createElement("iframe");
    const reported = new Promise(resolve => self.addEventListener("message", resolve, {once: true}));
    frame.src = url;
    document.documentElement.append(frame);
    await fetch("/reports", {method: "POST", body: JSON.stringify((await reported).data)});
    frame.remove();
  }
})();
</script>
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    files = {
        "resources/testharness.js": HARNESS,
        "resources/testharnessreport.js": "",
        "common/told.js": "self.told = 'by /common/told.js';",
        "scopes.https.any.js": SCOPES_TEST,
        "titled.h2.window.js": WINDOW_TEST,
        "names.sub.html": NAMES_TEST,
        "version.py": "def main(request, response):\n"
        "    return request.protocol_version + ' ' + request.url_parts.query\n",
        "cors.py": CORS,
    }
    for name, text in files.items():
        path = tmp_path / "checkout" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "checkout"


@pytest.fixture
def server(checkout: Path, certs_dir: Path) -> Iterator[Server]:
    with wpt.server(checkout, certs_dir=certs_dir, http_port=0, https_port=0, h2_port=0) as server:
        yield server


def hash_of_key(server: Server) -> str:
    """Return what Chromium's list of certificates that it shall put up with has of the server's."""
    assert server.https_port is not None
    certificate = ssl.get_server_certificate(("127.0.0.1", server.https_port))
    key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    octets = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(octets).digest()).decode()


def run_pages(chromium: str, server: Server, profile: Path, urls: list[str]) -> list[Any]:
    """Open each URL in a frame of a page, and return what comes of each."""
    reports: queue.Queue[Any] = queue.Queue()

    def runner(request: Request, response: Response) -> tuple[list[tuple[str, str]], str]:
        return [("Content-Type", "text/html")], RUNNER % json.dumps(urls)

    def report(request: Request, response: Response) -> str:
        reports.put(json.loads(request.body))
        return ""

    server.router.register("GET", "/runner", runner)
    server.router.register("POST", "/reports", report)
    command = [
        chromium,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--ignore-certificate-errors-spki-list={hash_of_key(server)}",
        f"--host-resolver-rules={resolver_rules(server.config, '127.0.0.1')}",
        f"--user-data-dir={profile}",
        f"https://web-platform.test:{server.https_port}/runner",
    ]
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(profile)},
    ) as browser:
        try:
            return [wait_for_report(reports, url) for url in urls]
        finally:
            browser.terminate()


def wait_for_report(reports: queue.Queue[Any], url: str) -> Any:
    try:
        return reports.get(timeout=TIMEOUT_S)
    except queue.Empty:
        pytest.fail(f"nothing came of {url}")


def test_pages(chromium: str, server: Server, tmp_path: Path) -> None:
    """Each kind of wrapper, a template and the scripts behind them do in a browser what they are for."""
    main = f"https://web-platform.test:{server.https_port}"
    endings = [
        ending.replace(".dedicatedworker", ".worker")
        for ending in (".html", *(f".{scope}.html" for scope in SCOPES[1:]))
    ]
    urls = [
        *(f"{main}/scopes.https.any{ending}" for ending in endings),
        f"{main}/titled.h2.window.html?one",
        f"https://web-platform.test:{server.h2_port}/titled.h2.window.html?one",
        f"{main}/names.sub.html",
    ]
    reports = run_pages(chromium, server, tmp_path / "profile", urls)
    assert [report["url"] for report in reports] == urls
    for report in reports:
        wrong = {name: said for name, said in report["said"] if said != "passed"}
        assert (report["url"], wrong) == (report["url"], {})
        assert len(report["said"]) == (3 if "scopes" in report["url"] else 4)
        if "scopes" in report["url"]:
            assert report["title"] == "Scopes & <others>"
