"""Posting a body, cut off at a deadline however slowly bytes come."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final, NamedTuple
from urllib.parse import urlsplit

MAX_BYTES: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final = {"User-Agent": "kabao", "Connection": "close"}


Connect = Callable[[str, int, float], socket.socket]
"""Connects to a host and port within seconds; raises OSError or NoAnswer."""


class NoAnswer(Exception):  # noqa: N818  named for what happened
    """No whole answer came; the message says why in a few words, without an address."""


class Answer(NamedTuple):
    """What was answered; `content_type` is without parameters, `location` where a redirect points, or empty."""

    status: int
    content_type: str
    location: str
    body: bytes


def connect_anywhere(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to a host that the operator has named, in this network too."""
    return socket.create_connection((host, port), timeout=seconds)


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    ends: float,
    tls: ssl.SSLContext,
    connect: Connect = connect_anywhere,
) -> Answer:
    """Post to an http or https address and return the answer, of any status; a redirect is an answer too.

    `ends` is a reading of the monotonic clock, in seconds; `connect` decides which addresses may be reached. Blocks.
    Raises NoAnswer, also for more than 64 KB.
    """
    try:
        answer = _exchange(url, body, headers, ends, tls, connect)
    except ssl.SSLError:
        raise NoAnswer("no trusted TLS connection") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        # An exchange that the deadline ended fails in one of many ways.
        raise NoAnswer("no answer in time" if monotonic() >= ends else type(error).__name__) from None
    if monotonic() >= ends:
        # Without a length, an answer that was cut off looks like a whole one.
        raise NoAnswer("no answer in time")
    return answer


def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], ends: float, tls: ssl.SSLContext, connect: Connect
) -> Answer:
    to = urlsplit(url)
    host = to.hostname or ""
    with (
        connect(host, to.port or _PORTS[to.scheme], _left(ends)) as plain,
        _cut_off(plain, _left(ends)),
        tls.wrap_socket(plain, server_hostname=host) if to.scheme == "https" else plain as stream,
    ):
        connection = http.client.HTTPConnection(host, to.port)
        connection.sock = stream
        path = (to.path or "/") + (f"?{to.query}" if to.query else "")
        connection.request("POST", path, body, {**_HEADERS, **headers, "Host": to.netloc})
        with connection.getresponse() as response:
            content = response.read(MAX_BYTES + 1)
            if len(content) > MAX_BYTES:
                raise NoAnswer("an answer longer than 64 KB")
            if response.length:
                raise http.client.IncompleteRead(content)
            told = response.headers
            return Answer(response.status, told.get_content_type(), told.get("Location", ""), content)


def _left(ends: float) -> float:
    seconds = ends - monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


@contextmanager
def _cut_off(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End the exchange after its time: a socket's own time-out begins anew with each byte that comes."""
    handle = connected.dup()

    def end() -> None:
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        handle.close()
