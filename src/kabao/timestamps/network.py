"""The way to authorities over HTTP (RFC 3161, 3.4): short, bounded, and to nobody but the address named.

A thread does it with the standard library. It uses no proxy, and follows a redirect only within the same host.
"""

import asyncio
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from kabao.timestamps.ports import Unreachable
from kabao.timestamps.rules import MAX_RESPONSE_BYTES

SECONDS: Final = 10.0
MAX_REDIRECTS: Final = 2
HEADERS: Final = {
    "Content-Type": "application/timestamp-query",
    "Accept": "application/timestamp-reply",
    "User-Agent": "kabao",
    "Connection": "close",
}
_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 307, 308})
_PORTS: Final = {"http": 80, "https": 443}


class HttpPost:
    """Posts to authorities. `seconds` bounds a whole exchange, redirects included; `tls` is for one's own authority."""

    def __init__(self, *, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Return the body of a 200 answer, at most 64 KB. Raises Unreachable; its words hold no address."""
        return await asyncio.to_thread(self._post, url, body)

    def _post(self, url: str, body: bytes) -> bytes:
        ends = monotonic() + self._seconds
        try:
            for _ in range(MAX_REDIRECTS + 1):
                answer = self._exchange(urlsplit(url), body, ends)
                if isinstance(answer, bytes):
                    return answer
                url = _followed(url, answer)
        except TimeoutError:
            raise Unreachable("no answer in time") from None
        except ssl.SSLError:
            raise Unreachable("no trusted TLS connection") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # An answer cut off by the deadline ends in one of many errors.
            raise Unreachable("no answer in time" if monotonic() >= ends else type(error).__name__) from None
        raise Unreachable("too many redirects")

    def _exchange(self, url: SplitResult, body: bytes, ends: float) -> bytes | str:
        """Post once; returns the answer, or where a redirect points."""
        seconds = ends - monotonic()
        if seconds <= 0:
            raise TimeoutError
        host = url.hostname or ""
        with (
            socket.create_connection((host, url.port or _PORTS[url.scheme]), timeout=seconds) as plain,
            _cut_off(plain, seconds),
            self._wrapped(plain, url) as stream,
        ):
            connection = http.client.HTTPConnection(host, url.port, timeout=seconds)
            connection.sock = stream
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.request("POST", path, body, {**HEADERS, "Host": url.netloc})
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    return response.headers.get("Location", "")
                if response.status != _OK:
                    raise Unreachable(f"HTTP {response.status}")
                answer = response.read(MAX_RESPONSE_BYTES + 1)
                is_cut_off = bool(response.length)
        if len(answer) > MAX_RESPONSE_BYTES:
            raise Unreachable("an answer longer than 64 KB")
        if is_cut_off or monotonic() >= ends:
            # Without a length, an answer that the deadline ended looks like a whole one.
            raise http.client.IncompleteRead(b"")
        return answer

    def _wrapped(self, plain: socket.socket, url: SplitResult) -> socket.socket:
        return self._tls.wrap_socket(plain, server_hostname=url.hostname) if url.scheme == "https" else plain


def _followed(url: str, location: str) -> str:
    """Return where to post next. Raises Unreachable for another host, or for one step down from https."""
    here, there = urlsplit(url), urlsplit(urljoin(url, location))
    if there.hostname != here.hostname or there.scheme not in ({"https", here.scheme} & set(_PORTS)):
        raise Unreachable("a redirect to somewhere else")
    return there.geturl()


@contextmanager
def _cut_off(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End the exchange at its deadline, however slowly bytes come: a socket's own time-out begins anew with each."""
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
