"""
A server inside a test: start, GET, stop.

    python -m tools.bench.in_test NAME TIMES     prints the median in milliseconds
"""

# mypy: ignore-errors
# Two of the servers have no types.

import http.client
import logging
import statistics
import sys
import threading
import time

from tools.bench.served.answers import TEXT


def get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/text")
    assert connection.getresponse().read() == TEXT
    connection.close()


def wptproto():
    from tools.bench.served.by_wptproto import ROUTES
    from wptproto import Server

    def once():
        with Server(routes=ROUTES, http_port=0, https_port=None, hosts=("127.0.0.1",)) as server:
            get(server.http_port)

    return once


def wptserve():
    from wptserve.server import WebTestHttpd

    from tools.bench.served.by_wptserve import ROUTES

    def once():
        server = WebTestHttpd(host="127.0.0.1", port=0, routes=ROUTES, doc_root=".")
        server.start()
        get(server.port)
        server.stop()

    return once


def pytest_httpserver():
    from pytest_httpserver import HTTPServer

    def once():
        with HTTPServer(host="127.0.0.1", port=0) as server:
            server.expect_request("/text").respond_with_data(TEXT)
            get(server.port)

    return once


def uvicorn():
    import uvicorn

    from tools.bench.served.by_asgi import application

    def once():
        config = uvicorn.Config(application, http="h11", host="127.0.0.1", port=0, log_level="error")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run)
        thread.start()
        while not server.started:
            time.sleep(0.0002)
        get(server.servers[0].sockets[0].getsockname()[1])
        server.should_exit = True
        thread.join()

    return once


IN_TESTS = {
    "wptproto": wptproto,
    "pytest-httpserver": pytest_httpserver,
    "uvicorn": uvicorn,
    "wptserve": wptserve,
}


def main(name, times):
    logging.disable()
    once = IN_TESTS[name]()
    once()  # imports
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        once()
        taken.append(time.perf_counter() - begun)
    print(statistics.median(taken) * 1000)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
