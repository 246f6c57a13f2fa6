"""Uploads as the pages' scripts send them, and who gets an original by which path."""

import pytest

from browser import Browser
from kabao.evidence.model import CHUNK_BYTES
from kabao.kernel import digest_of
from media import picture, webm
from pages import Site
from sender import FILM, Sender, token


@pytest.fixture
async def order(site: Site) -> tuple[Browser, Browser, str]:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    return buyer, merchant, await site.bought(buyer, listing)


async def test_a_film_is_sent_by_chunks_and_played_from_any_place(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    item = await (await Sender.of(buyer, ref)).send("录屏.mp4", FILM)
    assert (item["media_type"], item["sha256"]) == ("video/mp4", digest_of(FILM).hex())
    path = f"/o/{ref}/files/{item['item']}"
    whole = await buyer.client.get(f"{path}/original")
    assert (whole.content, whole.headers["content-type"]) == (FILM, "video/mp4")
    assert whole.headers["content-disposition"].startswith("attachment")
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in whole.headers["content-security-policy"]
    played = await buyer.client.get(f"{path}/media")
    assert (played.status_code, played.headers["accept-ranges"], played.content) == (200, "bytes", FILM)
    assert "sandbox" in played.headers["content-security-policy"]
    for wanted, start, end in (
        ("bytes=10-19", 10, 20),
        (f"bytes={len(FILM) - 5}-", len(FILM) - 5, len(FILM)),
        ("bytes=-7", len(FILM) - 7, len(FILM)),
        (f"bytes=0-{10**12}", 0, len(FILM)),
    ):
        part = await buyer.client.get(f"{path}/media", headers={"range": wanted})
        assert (part.status_code, part.content) == (206, FILM[start:end]), wanted
        assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{len(FILM)}"
    beyond = await buyer.client.get(f"{path}/media", headers={"range": f"bytes={len(FILM)}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(FILM)}")
    assert (await buyer.client.get(f"{path}/media", headers={"range": "lines=1-2"})).status_code == 200


async def test_what_is_under_way_is_listed_and_goes_on(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    begun = (await sender.begin("录屏.mp4", len(FILM))).json()
    assert begun["chunk_bytes"] == CHUNK_BYTES
    first = await sender.put(begun["upload"], 1, FILM[:CHUNK_BYTES])
    assert first.json()["sha256"] == digest_of(FILM[:CHUNK_BYTES]).hex()
    [listed] = (await buyer.client.get(sender.path)).json()["uploads"]
    assert (listed["upload"], listed["name"], listed["size"]) == (begun["upload"], "录屏.mp4", len(FILM))
    assert [chunk["seq"] for chunk in listed["chunks"]] == [1]
    early = await sender.finish(begun["upload"], 2)
    assert (early.status_code, early.json()["code"], early.json()["fields"]) == (
        409,
        "chunks_missing",
        {"chunks": "缺第 2 段。"},
    )
    seen = await buyer.client.get(f"{sender.path}/{begun['upload']}")
    assert seen.json()["state"] == "open"
    gone = await buyer.client.delete(f"{sender.path}/{begun['upload']}", headers=sender.headers)
    assert gone.json() == {"cancelled": True}
    assert (await buyer.client.get(sender.path)).json() == {"uploads": []}


async def test_a_recording_is_answered_with_its_chain(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    begun = (await sender.begin("录制", 0, "recording")).json()
    piece = webm(live=True)
    answer = (await sender.put(begun["upload"], 1, piece)).json()
    assert len(answer["head"]) == 64
    item = (await sender.finish(begun["upload"], 1)).json()
    assert (item["head"], item["media_type"]) == (answer["head"], "video/webm")


async def test_a_step_without_the_pages_token_does_nothing(order: tuple[Browser, Browser, str], site: Site) -> None:
    buyer, _, ref = order
    for headers in (
        {},
        {"x-kabao-token": "wrong"},
        {"x-kabao-token": await token(buyer), "origin": "http://evil.example"},
    ):
        sender = Sender(buyer, ref, "")
        sender.headers = headers
        for answer in (
            await sender.begin("a.txt", 1),
            await sender.put("1", 1, b"x"),
            await sender.finish("1", 1),
            await buyer.client.delete(f"{sender.path}/1", headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_mismatch")
    stranger = Sender(site.stranger(), ref, "x")
    assert (await stranger.begin("a.txt", 1)).status_code == 401
    assert (await stranger.client.get(stranger.path)).status_code == 401
    assert await site.app.database.fetchval("SELECT count(*) FROM evidence_upload") == 0


async def test_what_a_script_sends_is_read_strictly(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    upload = (await sender.begin("a.txt", 5)).json()["upload"]
    for header in ("", "sha-256=abc", "sha-256=:!:", "sha-256=:YQ==:", "sha-512=:YQ==:"):
        answer = await sender.put(upload, 1, b"words", **{"content-digest": header})
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed"), header
    for body in ({"chunks": "1"}, {"chunks": 1, "more": 1}, []):
        answer = await sender.client.post(f"{sender.path}/{upload}/finish", json=body, headers=sender.headers)
        assert answer.json()["code"] == "malformed"
    for sha in ("xyz", "00"):
        assert (await sender.finish(upload, 1, sha256=sha)).json()["code"] == "invalid_fields"
    for body in ({"name": "a"}, {"name": "a", "size": 1, "kind": "link"}, {"name": "a", "size": 1, "kind": "x"}):
        answer = await sender.client.post(sender.path, json=body, headers=sender.headers)
        assert answer.json()["code"] == "malformed"
    assert (await sender.begin("a.mp4", 5 * 10**9)).json()["code"] == "file_too_large"
    large = await sender.put(upload, 1, bytes(CHUNK_BYTES + 1))
    assert large.status_code in {413, 422}


async def test_a_picture_beyond_its_limit_is_refused_by_its_first_chunk(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    first = picture("PNG").ljust(CHUNK_BYTES, b"\0")
    upload = (await sender.begin("a.png", 26 * 1024 * 1024)).json()["upload"]
    answer = await sender.put(upload, 1, first)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert (await sender.put(upload, 2, first)).json()["code"] == "upload_ended", "nothing more is sent for nothing"
    upload = (await sender.begin("b.png", 25 * 1024 * 1024)).json()["upload"]
    assert (await sender.put(upload, 1, first)).status_code == 200


async def test_nobody_else_reaches_an_original_by_any_path(order: tuple[Browser, Browser, str], site: Site) -> None:
    """The other party, its people, strangers and a second shop: only who gave it and support have originals."""
    buyer, merchant, ref = order
    sender = await Sender.of(buyer, ref)
    shot, movie = await sender.send("截图.png", picture("PNG")), await sender.send("录屏.mp4", FILM)
    rival, stranger, nobody = await site.person("别家店主"), await site.person("别人"), site.stranger()
    support = await site.support()
    assert (await support.client.get(f"/o/{ref}/files/{shot['item']}/original")).status_code == 404, "no case yet"
    await buyer.get(f"/o/{ref}/problem")
    wish = {"claim": "key_invalid", "demand": "full_refund", "statement": "激活时提示无效，请看录屏。"}
    assert (await buyer.send("/problem", wish)).path.startswith("/c/")
    for item in (shot, movie):
        path = f"/o/{ref}/files/{item['item']}"
        for who, may_look in ((merchant, True), (rival, False), (stranger, False), (nobody, False)):
            for sealed in (f"{path}/original", f"{path}/media"):
                answer = await who.client.get(sealed)
                assert answer.status_code in {404, 303}, (sealed, answer.status_code)
                assert FILM not in answer.content
            looked = await who.client.get(path)
            assert (looked.status_code == 200) == (may_look and item is shot)
            upload = await who.client.get(f"/o/{ref}/uploads/1")
            assert upload.status_code in {404, 401}
        assert (await support.client.get(f"{path}/original")).status_code == 200
    assert (await support.client.get(f"/o/{ref}/files/{movie['item']}/media")).status_code == 200
    assert (await buyer.client.get(f"/o/{ref}/files/{shot['item']}/media")).status_code == 404


async def test_an_upload_of_a_number_that_none_can_have_is_not_there(order: tuple[Browser, Browser, str]) -> None:
    buyer, _, ref = order
    sender = await Sender.of(buyer, ref)
    for number in (2**63 - 1, 2**63, 10**30, 0, -1):
        assert (await buyer.client.get(f"{sender.path}/{number}")).status_code == 404, number
        assert (await sender.put(str(number), 1, b"text")).status_code == 404, number
        assert (await sender.finish(str(number), 1)).status_code == 404, number
        gone = await buyer.client.delete(f"{sender.path}/{number}", headers=sender.headers)
        assert gone.status_code == 404, number
