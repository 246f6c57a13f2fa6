"""The way to witnesses: over HTTP, in a thread; whatever they answer is for the witness service to judge."""

import asyncio
import ssl
from time import monotonic
from typing import Final

from kabao import outgoing
from kabao.tlog.ports import WitnessAnswer, WitnessUnreachable

SECONDS: Final = 5.0


class HttpWitnessPost:
    """Posts to witnesses. `seconds` bounds a whole exchange; `tls` is for a witness with one's own certificate."""

    def __init__(self, *, seconds: float = SECONDS, tls: ssl.SSLContext | None = None) -> None:
        self._seconds = seconds
        self._tls = tls or outgoing.public_tls()

    async def __call__(self, url: str, body: bytes) -> WitnessAnswer:
        """Return the answer, whatever its status; a redirect is an answer too. Raises WitnessUnreachable."""
        return await asyncio.to_thread(self._post, url, body)

    def _post(self, url: str, body: bytes) -> WitnessAnswer:
        headers = {"Content-Type": "text/plain"}
        try:
            answer = outgoing.post(url, body, headers, ends=monotonic() + self._seconds, tls=self._tls)
        except outgoing.NoAnswer as none:
            raise WitnessUnreachable(str(none)) from None
        return WitnessAnswer(answer.status, answer.content_type, answer.body)
