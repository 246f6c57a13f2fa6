"""The way to witnesses over HTTP: short, bounded, to the address named and no other, through no proxy.

A thread does it with the standard library.
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
from urllib.parse import SplitResult, urlsplit

from kabao.tlog.ports import WitnessAnswer, WitnessUnreachable

SECONDS: Final = 5.0
MAX_BYTES: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}


class HttpWitnessPost:
    """Posts to witnesses. `seconds` bounds a whole exchange; `tls` is for a witness with one's own certificate."""

    def __init__(self, *, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._tls = tls or ssl.create_default_context()

    async def __call__(self, url: str, body: bytes) -> WitnessAnswer:
        """Return the answer, whatever its status; a redirect is an answer too. Raises WitnessUnreachable."""
        return await asyncio.to_thread(self._post, urlsplit(url), body)

    def _post(self, url: SplitResult, body: bytes) -> WitnessAnswer:
        ends = monotonic() + self._seconds
        try:
            answer = self._exchange(url, body)
        except ssl.SSLError:
            raise WitnessUnreachable("no trusted TLS connection") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            # An exchange cut off by its end fails in one of many ways.
            raise WitnessUnreachable("no answer in time" if monotonic() >= ends else type(error).__name__) from None
        if monotonic() >= ends:
            # Without a length, an answer that was cut off looks like a whole one.
            raise WitnessUnreachable("no answer in time")
        return answer

    def _exchange(self, url: SplitResult, body: bytes) -> WitnessAnswer:
        host = url.hostname or ""
        with (
            socket.create_connection((host, url.port or _PORTS[url.scheme]), timeout=self._seconds) as plain,
            _cut_off(plain, self._seconds),
            self._wrapped(plain, url) as stream,
        ):
            connection = http.client.HTTPConnection(host, url.port, timeout=self._seconds)
            connection.sock = stream
            headers = {"Host": url.netloc, "Content-Type": "text/plain", "User-Agent": "kabao", "Connection": "close"}
            connection.request("POST", url.path, body, headers)
            with connection.getresponse() as response:
                content = response.read(MAX_BYTES + 1)
                if len(content) > MAX_BYTES:
                    raise WitnessUnreachable("its answer is longer than 64 KB")
                if response.length:
                    raise http.client.IncompleteRead(content)
                return WitnessAnswer(response.status, response.headers.get_content_type(), content)

    def _wrapped(self, plain: socket.socket, url: SplitResult) -> socket.socket:
        return self._tls.wrap_socket(plain, server_hostname=url.hostname) if url.scheme == "https" else plain


@contextmanager
def _cut_off(connected: socket.socket, seconds: float) -> Iterator[None]:
    """End the exchange after its time, however slowly bytes come: a socket's own time-out begins anew with each."""
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
