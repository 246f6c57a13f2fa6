"""The way to authorities over HTTP (RFC 3161, 3.4), in a thread; a redirect is followed only within the same host."""

import asyncio
import ssl
from time import monotonic
from typing import Final
from urllib.parse import urljoin, urlsplit

from kabao import outgoing
from kabao.timestamps.ports import Unreachable

SECONDS: Final = 10.0
MAX_REDIRECTS: Final = 2
HEADERS: Final = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
_OK: Final = 200
_REDIRECTS: Final = frozenset({301, 302, 307, 308})


class HttpPost:
    """Posts to authorities. `seconds` bounds a whole exchange, redirects included; `tls` is for one's own authority."""

    def __init__(self, *, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._tls = tls or outgoing.public_tls()

    async def __call__(self, url: str, body: bytes) -> bytes:
        """Return the body of a 200 answer, at most 64 KB. Raises Unreachable; its words hold no address."""
        return await asyncio.to_thread(self._post, url, body)

    def _post(self, url: str, body: bytes) -> bytes:
        ends = monotonic() + self._seconds
        for _ in range(MAX_REDIRECTS + 1):
            try:
                answer = outgoing.post(url, body, HEADERS, ends=ends, tls=self._tls)
            except outgoing.NoAnswer as none:
                raise Unreachable(str(none)) from None
            if answer.status == _OK:
                return answer.body
            if answer.status not in _REDIRECTS:
                raise Unreachable(f"HTTP {answer.status}")
            url = _followed(url, answer.location)
        raise Unreachable("too many redirects")


def _followed(url: str, location: str) -> str:
    """Return where to post next. Raises Unreachable for another host, or for one step down from https."""
    here = urlsplit(url)
    try:
        there = urlsplit(urljoin(url, location))
        there_host = there.hostname
    except ValueError:
        raise Unreachable("a redirect to somewhere else") from None
    if there_host != here.hostname or there.scheme not in ({"https", here.scheme} & {"http", "https"}):
        raise Unreachable("a redirect to somewhere else")
    return there.geturl()
