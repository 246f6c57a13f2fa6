"""The way to an authority over HTTP: bounded in time and size, and to nobody but the address named."""

import os
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kabao.timestamps import HttpPost, Unreachable
from opensslauthority import openssl

Behaviour = Callable[[BaseHTTPRequestHandler, bytes], None]


def answering(body: bytes, status: int = 200, **headers: str) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _request: bytes) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return behave


@contextmanager
def serving(behaviours: dict[str, Behaviour], tls: ssl.SSLContext | None = None) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            behaviours[self.path](self, request)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output quiet."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is what some of these tests are about."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def test_a_request_is_posted_as_rfc_3161_says_and_the_answer_comes_back() -> None:
    seen: dict[str, str] = {}

    def echo(handler: BaseHTTPRequestHandler, request: bytes) -> None:
        seen.update({name.lower(): value for name, value in handler.headers.items()})
        answering(request[::-1])(handler, request)

    with serving({"/tsa?key=1": echo}) as origin:
        assert await HttpPost()(f"{origin}/tsa?key=1", b"abc") == b"cba"
        assert seen["content-type"] == "application/timestamp-query"
        assert seen["host"] == origin.removeprefix("http://")


def test_a_proxy_in_the_environment_is_not_used() -> None:
    ask = "import asyncio, sys, kabao.timestamps as t; print(asyncio.run(t.HttpPost()(sys.argv[1], b'x')))"
    environment = {**os.environ, "http_proxy": "http://127.0.0.1:9", "all_proxy": "http://127.0.0.1:9"}
    with serving({"/": answering(b"direct")}) as origin:
        done = subprocess.run(
            [sys.executable, "-c", ask, origin], env=environment, capture_output=True, text=True, check=False
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'direct'\n", "")


@pytest.mark.parametrize("status", [204, 400, 404, 500, 503])
async def test_any_other_status_is_no_answer(status: int) -> None:
    with serving({"/": answering(b"", status)}) as origin, pytest.raises(Unreachable, match=f"HTTP {status}"):
        await HttpPost()(origin, b"x")


async def test_a_redirect_is_followed_with_the_body_on_the_same_host_alone() -> None:
    places = {
        "/moved": answering(b"", 301, Location="/here"),
        "/here": lambda handler, request: answering(b"got " + request)(handler, request),
        "/away": answering(b"", 307, Location="http://127.0.0.1/elsewhere"),
        "/file": answering(b"", 302, Location="file:///etc/hostname"),
        "/broken": answering(b"", 302, Location="http://[x/"),
        "/nowhere": answering(b"", 308),
        "/round": answering(b"", 302, Location="/round"),
    }
    with serving(places) as origin:
        assert await HttpPost()(f"{origin}/moved", b"abc") == b"got abc"
        for path in ("away", "file", "broken"):
            with pytest.raises(Unreachable, match="somewhere else"):
                await HttpPost()(f"{origin}/{path}", b"x")
        for path in ("nowhere", "round"):
            with pytest.raises(Unreachable, match="too many"):
                await HttpPost()(f"{origin}/{path}", b"x")


async def test_an_answer_is_at_most_64_kb() -> None:
    with serving({"/fits": answering(b"x" * 65_536), "/large": answering(b"x" * 65_537)}) as origin:
        assert len(await HttpPost()(f"{origin}/fits", b"x")) == 65_536
        with pytest.raises(Unreachable, match="longer than 64 KB"):
            await HttpPost()(f"{origin}/large", b"x")


def dripping(before: bytes, pieces: int) -> Behaviour:
    def behave(handler: BaseHTTPRequestHandler, _request: bytes) -> None:
        handler.wfile.write(before)
        for _ in range(pieces):
            handler.wfile.write(b"x")
            time.sleep(0.05)

    return behave


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n",
    ],
)
async def test_an_answer_that_never_ends_is_cut_off_at_the_deadline(start: bytes) -> None:
    # Without the cut-off each byte would renew the time-out and the answer would come, whole, after 40 seconds.
    with serving({"/": dripping(start, 800)}) as origin, pytest.raises(Unreachable, match="no answer in time"):
        await HttpPost(seconds=0.3)(origin, b"x")


async def test_an_answer_that_breaks_off_is_none() -> None:
    def break_off(handler: BaseHTTPRequestHandler, _request: bytes) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")

    with serving({"/": break_off}) as origin, pytest.raises(Unreachable, match="IncompleteRead"):
        await HttpPost()(origin, b"x")


@pytest.mark.parametrize(
    "answer", [b"not HTTP at all\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
)
async def test_what_is_not_http_is_no_answer(answer: bytes) -> None:
    def behave(handler: BaseHTTPRequestHandler, _request: bytes) -> None:
        handler.wfile.write(answer)

    with serving({"/": behave}) as origin, pytest.raises(Unreachable):
        await HttpPost()(origin, b"x")


async def test_nobody_there_is_unreachable_and_no_address_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for url in (f"http://127.0.0.1:{port}/?key=secret", "http://nobody.invalid/?key=secret"):
        with pytest.raises(Unreachable) as lost:
            await HttpPost()(url, b"x")
        assert "secret" not in str(lost.value)
        assert "127.0.0.1" not in str(lost.value)


@pytest.mark.parametrize("used_up", [0.0, -1.0])
async def test_no_time_left_is_no_answer(used_up: float) -> None:
    with pytest.raises(Unreachable, match="no answer in time"):
        await HttpPost(seconds=used_up)("http://127.0.0.1/", b"x")


async def test_tls_is_checked(tmp_path: Path) -> None:
    openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"),
        *("-addext", "subjectAltName=DNS:localhost", "-days", "1"),
        *("-keyout", f"{tmp_path}/key.pem", "-out", f"{tmp_path}/cert.pem"),
    )
    serves = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serves.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    trusts = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with serving(
        {"/": answering(b"safe"), "/down": answering(b"", 302, Location="http://localhost/")}, serves
    ) as origin:
        assert await HttpPost(tls=trusts)(origin, b"x") == b"safe"
        with pytest.raises(Unreachable, match="no trusted TLS"):
            await HttpPost()(origin, b"x")
        with pytest.raises(Unreachable, match="somewhere else"):
            await HttpPost(tls=trusts)(f"{origin}/down", b"x")
