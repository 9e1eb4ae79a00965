"""``python -m tools.bench.served.by_wptproto HTTP_PORT HTTPS_PORT CERTIFICATE KEY``"""

import sys
import threading
import time

from tools.bench.served.answers import LONG, SLEEP_S, TEXT
from wptproto import Request, Response, Server


def text(request: Request, response: Response) -> bytes:
    return TEXT


def sleep(request: Request, response: Response) -> bytes:
    time.sleep(SLEEP_S)
    return TEXT


def long(request: Request, response: Response) -> bytes:
    return LONG


def upload(request: Request, response: Response) -> str:
    return f"{len(request.body):13}"


ROUTES = [("*", "/text", text), ("*", "/sleep", sleep), ("*", "/long", long), ("*", "/upload", upload)]

if __name__ == "__main__":
    http_port, https_port, certificate, key = sys.argv[1:]
    ports = {"http_port": int(http_port), "https_port": int(https_port)}
    with Server(routes=ROUTES, certificate=certificate, key=key, hosts=("127.0.0.1",), record=False, **ports):  # type: ignore[arg-type]
        threading.Event().wait()
