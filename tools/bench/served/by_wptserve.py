"""``python -m tools.bench.served.by_wptserve HTTP_PORT HTTPS_PORT H2_PORT CERTIFICATE KEY``"""

# mypy: ignore-errors
# wptserve has no types.

import logging
import sys
import threading
import time

from wptserve.handlers import handler
from wptserve.server import WebTestHttpd

from tools.bench.served.answers import LONG, SLEEP_S, TEXT


@handler
def text(request, response):
    return TEXT


@handler
def sleep(request, response):
    time.sleep(SLEEP_S)
    return TEXT


@handler
def long(request, response):
    return LONG


@handler
def upload(request, response):
    return f"{len(request.body):13}"


ROUTES = [("*", "/text", text), ("*", "/sleep", sleep), ("*", "/long", long), ("*", "/upload", upload)]

if __name__ == "__main__":
    logging.disable()
    http_port, https_port, h2_port, certificate, key = sys.argv[1:]
    tls = {"use_ssl": True, "certificate": certificate, "key_file": key}
    for port, more in ((http_port, {}), (https_port, tls), (h2_port, {**tls, "http2": True})):
        WebTestHttpd(host="127.0.0.1", port=int(port), routes=ROUTES, doc_root=".", **more).start()
    threading.Event().wait()
