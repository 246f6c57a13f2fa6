"""kill -9 between chunks and while they are put together: what arrived is there, and there is one item in the end."""

import base64
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx

from kabao.evidence.model import CHUNK_BYTES
from kabao.kernel import digest_of
from media import film
from program import Serving, begin, kabao

FILM = film(media=12 * CHUNK_BYTES)
CHUNKS = [FILM[start : start + CHUNK_BYTES] for start in range(0, len(FILM), CHUNK_BYTES)]


def put(serving: Serving, path: str, seq: int, token: dict[str, str]) -> None:
    digest = base64.b64encode(digest_of(CHUNKS[seq - 1])).decode()
    headers = token | {"content-digest": f"sha-256=:{digest}:"}
    kept = httpx.put(f"{serving.origin}{path}/{seq}", content=CHUNKS[seq - 1], headers=headers, timeout=60)
    assert kept.status_code == 200, kept.text


def test_a_killed_server_loses_no_chunk_and_makes_one_item(tmp_path: Path) -> None:
    data = tmp_path / "data"
    serving = begin("demo", data, tmp_path)
    try:
        made = kabao("token", "create", "--data", data, "--account", "演示买家", "--role", "buyer")
        token = {"authorization": f"Bearer {made.stdout.strip()}"}
        order = httpx.get(f"{serving.origin}/api/v1/orders", headers=token).json()["orders"][0]["ref"]
        uploads = f"/api/v1/orders/{order}/uploads"
        wish = {"name": "录屏.mp4", "size": len(FILM)}
        path = f"{uploads}/{httpx.post(serving.origin + uploads, json=wish, headers=token).json()['upload']}"
        for seq in range(1, 6):
            put(serving, path, seq, token)
        serving.stop(signal.SIGKILL)

        serving = begin("serve", data, tmp_path)
        there = httpx.get(serving.origin + path, headers=token).json()
        assert (there["state"], [chunk["seq"] for chunk in there["chunks"]]) == ("open", [1, 2, 3, 4, 5])
        for seq in range(6, len(CHUNKS) + 1):
            put(serving, path, seq, token)

        def finish() -> None:
            with suppress(httpx.HTTPError):
                httpx.post(f"{serving.origin}{path}/finish", json={"chunks": len(CHUNKS)}, headers=token, timeout=60)

        finishing = threading.Thread(target=finish)
        finishing.start()
        time.sleep(0.15)
        serving.stop(signal.SIGKILL)
        finishing.join()

        serving = begin("serve", data, tmp_path)
        ends = [
            httpx.post(f"{serving.origin}{path}/finish", json={"chunks": len(CHUNKS)}, headers=token, timeout=60).json()
            for _ in range(2)
        ]
        assert ends[0] == ends[1]
        assert ends[0]["digest"] == digest_of(FILM).hex()
        assert httpx.get(serving.origin + path, headers=token).json()["state"] == "finished"
        assert not list((data / "blobs" / "uploads").glob("**/0*"))
    finally:
        serving.stop()
