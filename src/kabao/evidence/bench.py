"""Measures what a large upload costs the server: its speed, and how far the server's memory grows meanwhile."""

import asyncio
import base64
import hashlib
import http.client
import json
import os
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

from kabao.evidence.model import MIB

SAMPLE_SECONDS: Final = 0.05


class UploadMeasured(msgspec.Struct, frozen=True, kw_only=True):
    """One upload over HTTP: bytes, seconds for the chunks and for putting them together, memory in MiB."""

    bytes: int
    send_seconds: float
    finish_seconds: float
    rss_before_mib: float
    rss_growth_mib: float
    is_correct: bool


async def bench_upload(
    port: int, token: str, order_ref: str, server_pid: int, size: int = 1024 * MIB
) -> UploadMeasured:
    """Send a film of `size` bytes in chunks to an order of the token's account, watching the server's memory.

    Linux only: resident memory is read from /proc, of the server's own process without PostgreSQL's.
    """
    before = _resident_mib(server_pid)
    peak, is_over = before, asyncio.Event()

    async def watch() -> None:
        nonlocal peak
        while not is_over.is_set():
            peak = max(peak, _resident_mib(server_pid))
            await asyncio.sleep(SAMPLE_SECONDS)

    watching = asyncio.create_task(watch())
    try:
        sent, finished, is_correct = await asyncio.to_thread(_send, port, token, order_ref, size)
    finally:
        is_over.set()
        await watching
    return UploadMeasured(
        bytes=size,
        send_seconds=round(sent, 2),
        finish_seconds=round(finished, 2),
        rss_before_mib=round(before, 1),
        rss_growth_mib=round(peak - before, 1),
        is_correct=is_correct,
    )


def _send(port: int, token: str, order_ref: str, size: int) -> tuple[float, float, bool]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    path = f"/api/v1/orders/{order_ref}/uploads"

    def ask(method: str, address: str, body: bytes, **headers: str) -> dict[str, Any]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, address, body, {"authorization": f"Bearer {token}", **named})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{method} {address}: {answer.status} {content[:200]!r}")
        found: dict[str, Any] = json.loads(content)
        return found

    def step(address: str, value: dict[str, Any]) -> dict[str, Any]:
        return ask("POST", address, json.dumps(value).encode(), content_type="application/json")

    opened = step(path, {"name": "bench.mp4", "size": size})
    whole, count, began = hashlib.sha256(), 0, time.perf_counter()
    for count, chunk in enumerate(_film(size, opened["chunk_bytes"]), 1):
        whole.update(chunk)
        digest = base64.b64encode(hashlib.sha256(chunk).digest()).decode()
        ask("PUT", f"{path}/{opened['upload']}/{count}", chunk, content_digest=f"sha-256=:{digest}:")
    sent = time.perf_counter()
    item = step(f"{path}/{opened['upload']}/finish", {"chunks": count, "sha256": whole.hexdigest()})
    finished = time.perf_counter()
    connection.close()
    return sent - began, finished - sent, item["digest"] == whole.hexdigest()


def _film(size: int, chunk_bytes: int) -> Iterator[bytes]:
    """Make an MP4 of exactly `size` bytes whose pictures are noise, so that nothing could be packed."""
    movie = _box(b"mvhd", bytes(100))
    track = _box(b"trak", _box(b"mdia", _box(b"hdlr", bytes(8) + b"vide" + bytes(12))))
    index = _box(b"moov", movie + track)
    begun = _box(b"ftyp", b"isom\0\0\0\0isom\0\0\0\0") + index
    rest = size - len(begun)
    begun += struct.pack(">I4s", 1, b"mdat") + struct.pack(">Q", rest)
    for start in range(0, size, chunk_bytes):
        piece = os.urandom(min(chunk_bytes, size - start))
        yield begun + piece[len(begun) :] if start == 0 else piece


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), name) + content


def _resident_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB
