"""Evidence by chunk through the API: for programs of either side, to be resumed, and nobody else's."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from kabao.evidence.model import CHUNK_BYTES
from kabao.kernel import digest_of
from media import film, webm

Bought = Callable[[], Awaitable[str]]
FILM = film(media=CHUNK_BYTES)


async def put(script: Any, path: str, content: bytes, digest: str | None = None) -> httpx.Response:
    named = digest if digest is not None else f"sha-256=:{base64.b64encode(digest_of(content)).decode()}:"
    headers = script.headers | {"content-digest": named}
    return await script.client.put(f"/api/v1{path}", content=content, headers=headers)


async def begin(script: Any, ref: str, **wish: Any) -> dict[str, Any]:
    opened = await script.post(f"/orders/{ref}/uploads", wish)
    assert opened.status_code == 201, opened.text
    upload: dict[str, Any] = opened.json()
    return upload


def problem(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    code: str = answer.json()["code"]
    return code


async def test_a_film_is_sent_in_chunks_and_finished_twice_the_same(stall: Any, bought: Bought) -> None:
    ref = await bought()
    upload = await begin(stall.buyer, ref, name="录屏.mp4", size=len(FILM))
    path = f"/orders/{ref}/uploads/{upload['upload']}"
    second = await put(stall.buyer, f"{path}/2", FILM[CHUNK_BYTES:])
    assert (second.status_code, second.json()["sha256"]) == (200, digest_of(FILM[CHUNK_BYTES:]).hex())
    assert problem(await stall.buyer.post(f"{path}/finish", {"chunks": 2})) == "chunks_missing"
    [listed] = (await stall.buyer.get(f"/orders/{ref}/uploads")).json()["uploads"]
    assert [chunk["seq"] for chunk in listed["chunks"]] == [2]
    assert (await put(stall.buyer, f"{path}/1", FILM[:CHUNK_BYTES])).status_code == 200
    assert (await stall.buyer.get(path)).json()["state"] == "open"
    whole = {"chunks": 2, "sha256": digest_of(FILM).hex()}
    first, again = [await stall.buyer.post(f"{path}/finish", whole) for _ in range(2)]
    assert first.json()["digest"] == digest_of(FILM).hex()
    assert first.json() == again.json()
    gone = await stall.buyer.client.delete(f"/api/v1{path}", headers=stall.buyer.headers)
    assert problem(gone) == "upload_ended"


async def test_a_recording_is_answered_with_its_chain_and_can_be_given_up(stall: Any, bought: Bought) -> None:
    ref = await bought()
    upload = await begin(stall.merchant, ref, name="录制", kind="recording")
    assert upload["size"] == 0
    path = f"/orders/{ref}/uploads/{upload['upload']}"
    kept = await put(stall.merchant, f"{path}/1", webm(live=True))
    assert len(kept.json()["head"]) == 64
    assert problem(await put(stall.merchant, f"{path}/3", b"x")) == "chunk_too_early"
    gone = await stall.merchant.client.delete(f"/api/v1{path}", headers=stall.merchant.headers)
    assert gone.status_code == 204
    assert (await stall.merchant.get(f"/orders/{ref}/uploads")).json() == {"uploads": []}


async def test_a_link_is_handed_in(stall: Any, bought: Bought) -> None:
    ref = await bought()
    kept = await stall.buyer.post(f"/orders/{ref}/links", {"link": "https://shop.example/1"})
    assert (kept.status_code, kept.json()["media_type"]) == (201, "text/uri-list")
    assert problem(await stall.buyer.post(f"/orders/{ref}/links", {"link": "ftp://shop.example"})) == "invalid_fields"


async def test_uploads_are_nobody_elses(stall: Any, bought: Bought) -> None:
    ref = await bought()
    upload = await begin(stall.buyer, ref, name="a.txt", size=5)
    path = f"/orders/{ref}/uploads/{upload['upload']}"
    for other in (stall.merchant, stall.stranger, stall.rival, stall.support):
        assert problem(await other.get(path)) == "not_found"
        assert problem(await put(other, f"{path}/1", b"words")) == "not_found"
        assert problem(await other.post(f"{path}/finish", {"chunks": 1})) == "not_found"
        gone = await other.client.delete(f"/api/v1{path}", headers=other.headers)
        assert problem(gone) == "not_found"
    for stranger in (stall.stranger, stall.rival, stall.support):
        assert problem(await stranger.post(f"/orders/{ref}/uploads", {"name": "a", "size": 1})) == "not_found"
        assert problem(await stranger.get(f"/orders/{ref}/uploads")) == "not_found"
    anonymous = await stall.buyer.client.put(f"/api/v1{path}/1", content=b"words")
    assert problem(anonymous) == "sign_in_required"


@pytest.mark.parametrize("header", ["", "sha-256=x", "sha-256=:!:", "sha-256=:YQ==:", "md5=:YQ==:"])
async def test_a_chunk_without_a_digest_is_refused(stall: Any, bought: Bought, header: str) -> None:
    ref = await bought()
    upload = await begin(stall.buyer, ref, name="a.txt", size=5)
    assert (
        problem(await put(stall.buyer, f"/orders/{ref}/uploads/{upload['upload']}/1", b"words", header)) == "malformed"
    )


async def test_what_is_announced_is_read_with_limits(stall: Any, bought: Bought) -> None:
    ref = await bought()
    for wish, why in (
        ({"name": "a", "size": 0}, "file_empty"),
        ({"name": "a", "size": 5 * 10**9}, "file_too_large"),
        ({"name": "a", "size": -1}, "invalid_fields"),
        ({"name": "", "size": 1}, "invalid_fields"),
        ({"name": "a", "size": 1, "kind": "link"}, "invalid_fields"),
        ({"name": "a", "size": "1"}, "invalid_fields"),
    ):
        assert problem(await stall.buyer.post(f"/orders/{ref}/uploads", wish)) == why, wish
    upload = await begin(stall.buyer, ref, name="a.txt", size=5)
    for number in ("x", "0", "9" * 30, "٣"):
        assert problem(await stall.buyer.get(f"/orders/{ref}/uploads/{number}")) == "not_found"
    path = f"/orders/{ref}/uploads/{upload['upload']}"
    assert problem(await put(stall.buyer, f"{path}/1", b"word")) == "chunk_damaged"
    assert problem(await put(stall.buyer, f"{path}/1", bytes(CHUNK_BYTES + 1))) in {"body_too_large", "chunk_damaged"}
    assert problem(await stall.buyer.post(f"{path}/finish", {"chunks": 1, "sha256": "xyz"})) == "invalid_fields"
