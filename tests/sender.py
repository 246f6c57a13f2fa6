"""A page's script, as it sends files by chunk, for tests of the whole application."""

import base64
from typing import Any

import httpx

from browser import Browser
from kabao.evidence.model import CHUNK_BYTES
from kabao.kernel import digest_of
from media import film

FILM = film(media=CHUNK_BYTES)


async def token(browser: Browser) -> str:
    """The token of the page's forms."""
    page = await browser.get("/me")
    return page.form("/sign-out").fields["csrf_token"][0]


def digest(content: bytes) -> str:
    return f"sha-256=:{base64.b64encode(digest_of(content)).decode()}:"


class Sender:
    """A page's script."""

    def __init__(self, browser: Browser, ref: str, csrf: str) -> None:
        self.client, self.path, self.headers = browser.client, f"/o/{ref}/uploads", {"x-kabao-token": csrf}

    @classmethod
    async def of(cls, browser: Browser, ref: str) -> "Sender":
        return cls(browser, ref, await token(browser))

    async def begin(self, name: str, size: int, kind: str = "file") -> httpx.Response:
        body = {"name": name, "size": size, "kind": kind}
        return await self.client.post(self.path, json=body, headers=self.headers)

    async def put(self, upload: str, seq: int, content: bytes, **headers: str) -> httpx.Response:
        headers = self.headers | {"content-digest": digest(content)} | headers
        return await self.client.put(f"{self.path}/{upload}/{seq}", content=content, headers=headers)

    async def finish(self, upload: str, chunks: int, **more: str) -> httpx.Response:
        body = {"chunks": chunks, **more}
        return await self.client.post(f"{self.path}/{upload}/finish", json=body, headers=self.headers)

    async def send(self, name: str, content: bytes) -> dict[str, Any]:
        upload = (await self.begin(name, len(content))).json()["upload"]
        chunks = [content[start : start + CHUNK_BYTES] for start in range(0, len(content), CHUNK_BYTES)]
        for seq, chunk in enumerate(chunks, 1):
            assert (await self.put(upload, seq, chunk)).status_code == 200
        answer = await self.finish(upload, len(chunks), sha256=digest_of(content).hex())
        assert answer.status_code == 200, answer.text
        item: dict[str, Any] = answer.json()
        return item
