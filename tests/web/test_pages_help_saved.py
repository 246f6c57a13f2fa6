"""Saved cases of self-help: kept encrypted for their owner alone, changed in two tabs, packed, brought, deleted."""

import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from browser import Browser, Shown
from helpwalk import START, walk
from kabao.packs import check
from kabao.selfhelp.commands import pack_command
from media import picture
from pages import Site

PNG = ("files", ("聊天.png", picture("PNG"), "image/png"))


async def saved(site: Site) -> tuple[Browser, str]:
    """Fill in as a stranger, then sign in on the way to saving; returns the person and the case's path."""
    person = await walk(site)
    page = await person.send("/help-me", {"go": "letters"})
    fields = page.form("/help-me").fields
    page = await person.post("/help-me/cases", {name: values for name, values in fields.items() if name})
    assert page.status == 401
    assert "接着保存" in (await signed_in(site, person)).words
    page = await person.send("/help-me/cases")
    assert "已保存到你的账户" in page.words
    return person, page.path


async def signed_in(site: Site, person: Browser) -> Shown:
    await person.send("/sign-in", {"phone": "13800000077"})
    return await person.send("/sign-in/code", {"code": site.post.codes["+8613800000077"]})


async def test_a_case_is_saved_across_signing_in_and_is_its_owners_alone(site: Site) -> None:
    person, path = await saved(site)
    page = await person.get("/me")
    assert "/help-me/cases" in page.read.links
    page = await person.get("/help-me/cases")
    assert path in page.read.links
    [row] = await site.app.database.fetch("SELECT sealed, wrapped_key FROM help_case")
    assert not any(word.encode() in bytes(row["sealed"]) for word in ("点卡", "某店", "ABCD"))
    other = await site.person("别人")
    assert path not in (await other.get("/help-me/cases")).text
    for place in (
        path,
        f"{path}/at/letters",
        f"{path}/delete",
        f"{path}/files/1",
        f"{path}/files/1/view",
        "/help-me/cases/99999999999999999999",
    ):
        assert (await other.get(place)).status == 404, place
    await person.get(path)
    mine = {action: person.page.form(action).fields for action in ("/pack.zip", "/files", "/letters", "/close")}
    token = (await other.get("/me")).form("/me").fields["csrf_token"][0]
    for action, fields in mine.items():
        sent = {name: values for name, values in fields.items() if name} | {"csrf_token": token}
        assert (await other.post(path + action, sent)).status == 404, action
    for action in ("/folder.zip", "/reopen", "/files/1", "/files/1/remove", "/letters/1", "/delete"):
        assert (await other.post(path + action, {"csrf_token": token})).status == 404, action
    # Somebody else who goes on in this browser carries on unsaved, and changes nothing of the owner's.
    await person.get(f"{path}/at/events")
    state = person.page.form("/help-me").fields["state"]
    await other.get("/help-me")
    page = await other.send("/help-me", {"state": state, "step": "events", "title": "别的"})
    assert (page.status, "账户里已经没有这件" in page.words) == (409, True)
    assert "点卡" in (await person.get(path)).words


async def test_of_two_tabs_the_last_one_is_told_and_nothing_is_lost(site: Site) -> None:
    person, path = await saved(site)
    first = (await person.get(f"{path}/at/events")).form("/help-me").fields
    fields = {name: values for name, values in first.items() if name} | {"go": ["events"]}
    page = await person.post("/help-me", fields | {"summary": "第一个页面写的"})
    assert (page.status, "已保存" in page.words) == (200, True)
    page = await person.post("/help-me", fields | {"summary": "第二个页面写的"})
    assert page.status == 409
    assert "第二个页面写的" in page.text
    assert f"{path}/at/events" in page.read.links
    assert "第一个页面写的" in (await person.get(f"{path}/at/events")).text
    person.page = page
    page = await person.send("/help-me", {"go": "next"})
    assert (page.status, "能要什么" in page.words) == (409, True)
    conflicting = page
    mine = {name: values for name, values in page.form("/help-me").fields.items() if name}
    page = await person.post("/help-me/cases", mine | {"keep": "copy"})
    assert "已保存到你的账户" in page.words
    assert page.path != path
    assert "第二个页面写的" in (await person.get(f"{page.path}/at/events")).text
    person.page = conflicting
    page = await person.send("/help-me", {"keep": "over", "go": "events"})
    assert (page.status, "第二个页面写的" in page.text) == (200, True)
    assert "第二个页面写的" in (await person.get(f"{path}/at/events")).text
    await person.get(f"{path}/at/events")
    carried = person.page
    person.client.cookies.clear()
    person.page = carried
    page = await person.send("/help-me", {"go": "events", "summary": "登录失效以后写的"})
    assert (page.status, "登录" in page.words) == (401, True)
    await site.app.database.execute("DELETE FROM sign_in_code")
    assert "接着保存" in (await signed_in(site, person)).words
    assert "登录失效以后写的" in (await person.send("/help-me")).text
    carried = person.page
    await person.get(f"{path}/delete")
    await person.send("/delete")
    person.page = carried
    page = await person.send("/help-me", {"go": "events"})
    assert "账户里已经没有这件" in page.words


async def given(person: Browser, path: str, name: str) -> bytes:
    """Press a button that gives a zip."""
    fields = (await person.get(path)).form("/pack.zip").fields
    answer = await person.client.post(f"{path}/{name}", data={key: values for key, values in fields.items() if key})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip"), answer.text[:400]
    return answer.content


def contents(folder: Path) -> list[bytes]:
    return [one.read_bytes() for one in folder.rglob("*") if one.is_file()]


async def with_evidence(person: Browser, path: str, blobs: Path) -> tuple[str, str]:
    """Answer what is asked, and give a picture and a note with a key in it; returns the numbers of their files."""
    page = await person.send("/files", {"kind": "talk"}, files=[PNG])
    assert page.status == 422
    page = await person.get(f"{path}/at/claim")
    answers = dict.fromkeys(re.findall(r'name="(answer_\w+)"', page.text), "unknown") | {"answer_key_failed": "yes"}
    await person.send("/help-me", answers | {"go": "claim"})
    await person.get(path)
    note = ("files", ("note.txt", "卡密 ABCD-1234-EFGH".encode(), "text/plain"))
    exe = ("files", ("a.exe", b"MZ\0\0" * 50, "application/x-msdownload"))
    page = await person.send("/files", {"kind": "recording", "shows": ["key_failed"]}, files=[PNG, note, exe, PNG])
    assert "「a.exe」没有收下" in page.words
    assert page.words.count("聊天.png") >= 2  # once kept, once told of as there already
    stored = contents(blobs)
    assert len({*stored}) == 2
    assert not any(PNG[1][1][:60] in one or b"ABCD-1234" in one for one in stored)
    first, second = dict.fromkeys(re.findall(rf"{path}/files/(\d+)\"", page.text))
    await person.send(f"/files/{first}", {"shows": ["key_failed"], "include": "yes"})
    got = await person.client.get(f"{path}/files/{first}")
    assert (got.content, got.headers["content-disposition"].split(";")[0]) == (PNG[1][1], "attachment")
    seen = await person.client.get(f"{path}/files/{first}/view")
    assert (seen.headers["content-type"], seen.headers["content-disposition"]) == ("image/webp", "inline")
    assert "sandbox" in seen.headers["content-security-policy"]
    assert "ABCD" in (await person.client.get(f"{path}/files/{second}/view")).text
    return first, second


async def with_answer(person: Browser, path: str) -> None:
    """Send a letter that was changed, and note the answer to it."""
    await person.get(f"{path}/at/letters")
    await person.send("/help-me", {"pick": "merchant"})
    await person.send("/help-me", {"go": "letters", "body": "我改过的信：请退款，卡密 ABCD-1234-EFGH"})
    await person.get(path)
    page = await person.send("/letters", {"to": "merchant", "sent": "2099-01-01"})
    assert (page.status, "还没到" in page.words) == (422, True)
    page = await person.send("/letters", {"to": "platform", "sent": "2026-07-20"})
    assert (page.status, "信里还有没填的：【你的姓名】【你的电话】" in page.words) == (422, True)
    assert 'name="blank"' in page.text
    page = await person.send("/letters", {"to": "merchant", "sent": "2026-07-20", "sent_time": "10:00"})
    assert "已记下" in page.words
    page = await person.send("/letters/1", {"answered1": "2026-07-21", "answer1": ""})
    assert (page.status, "写几个字" in page.words) == (422, True)
    page = await person.send("/letters/1", {"answered1": "2026-07-21", "answer1": "概不退款，卡密你自己用了"})
    assert "写信给 平台" in page.words
    assert "进行中" in page.words


async def test_files_letters_and_answers_come_into_a_pack_that_verifies(site: Site, tmp_path: Path) -> None:
    person, path = await saved(site)
    _, note = await with_evidence(person, path, tmp_path / "blobs")
    await with_answer(person, path)
    target = tmp_path / "pack.zip"
    target.write_bytes(await given(person, path, "pack.zip"))
    assert check(target).exit_code == 0
    with zipfile.ZipFile(target) as pack:
        texts = b"".join(pack.read(name) for name in pack.namelist() if name.endswith((".txt", ".json")))
        assert any(name.endswith(".png") for name in pack.namelist())
    assert "我改过的信".encode() in texts
    assert b"ABCD-1234" not in texts

    folder = await given(person, path, "folder.zip")
    by_command = tmp_path / "by command"
    zipfile.ZipFile(io.BytesIO(folder)).extractall(by_command)
    said = pack_command(by_command, target, datetime.now(UTC), as_json=True)
    assert (said.code, check(target).exit_code) == (0, 0)
    page = await person.get("/help-me/cases")
    page = await person.send("/import", files=[("file", ("case.zip", folder, "application/zip"))])
    assert "概不退款" in page.words
    brought = page.path
    again = zipfile.ZipFile(io.BytesIO(await given(person, brought, "folder.zip")))
    before = zipfile.ZipFile(io.BytesIO(folder))
    assert {one: again.read(one) for one in again.namelist()} == {one: before.read(one) for one in before.namelist()}
    target.write_bytes(await given(person, brought, "pack.zip"))
    assert check(target).exit_code == 0

    await person.get(path)
    token = person.page.form("/close").fields["csrf_token"]
    page = await person.post(f"{path}/files/{note}/remove", {"csrf_token": token})
    assert "note.txt" not in page.words
    for one in (path, brought):
        await person.get(f"{one}/delete")
        page = await person.send("/delete")
    assert "找不回来" in page.words
    left = "SELECT (SELECT count(*) FROM help_case) + (SELECT count(*) FROM help_file)"
    assert await site.app.database.fetchval(left) == 0
    assert contents(tmp_path / "blobs") == []


async def test_a_case_is_closed_with_how_it_ended_and_counted_once_where_that_is_allowed(site: Site) -> None:
    person, path = await saved(site)
    await person.get("/help-me")
    await person.send("/help-me", START)
    page = await person.send("/help-me", {"go": "events"})
    mine = {name: values for name, values in page.form("/help-me").fields.items() if name}
    assert (await person.post("/help-me/cases", mine | {"title": ""})).status == 422
    page = await person.post("/help-me/cases", mine | {"title": "只填了开头"})
    assert "已保存到你的账户" in page.words
    page = await person.send("/pack.zip")
    assert (page.status, "还有必须回答的问题" in page.words) == (409, True)
    await person.get(path)
    page = await person.send("/close", {"ending": "refunded", "ended": "2026-08-01", "got": "很多", "public": "yes"})
    assert (page.status, "不是金额" in page.words) == (422, True)
    page = await person.send("/close", {"ending": "refunded", "ended": "2026-07-13", "got": "268.01"})
    assert (page.status, "比能拿回的 268.00 元还多" in page.words, "那时还没有买" in page.words) == (422, True, True)
    page = await person.send("/close", {"ending": "refunded", "ended": "2026-08-01", "got": "268", "public": "yes"})
    assert "这件已经结束" in page.words
    await person.send("/reopen")
    await person.send("/close", {"ending": "refused", "ended": "2026-08-02", "public": "yes"})
    # A copy that is brought in is the same case: it adds nothing, however often it is closed.
    folder = await given(person, path, "folder.zip")
    for _ in range(2):
        await person.get("/help-me/cases")
        await person.send("/import", files=[("file", ("a.zip", folder, "application/zip"))])
        await person.send("/reopen")
        page = await person.send("/close", {"ending": "refused", "ended": "2026-08-02", "public": "yes"})
        assert "这件已经结束" in page.words
    [counted] = await site.app.database.fetch("SELECT month::text, ending FROM help_outcome")
    assert tuple(counted) == ("2026-08-01", "refunded")


ITEM = "case_id: a\ncreated_at: 2026-11-01\n"
BAD: dict[str, bytes | dict[str, str]] = {
    "不是完整的 zip": b"PK no zip",
    "没有 case.yaml": {"a.txt": "x"},
    "case.yaml:2": {"case.yaml": "case_id: a\nnothing: b\ncreated_at: 2026-11-01\n"},
    "不能是链接": {"case.yaml": "x", "../a.txt": "x"},
    "没有这个文件": {"case.yaml": f"{ITEM}evidence:\n  - file: evidence/a.png\n    kind: screenshot\n"},
    "evidence/a.docx:1": {"case.yaml": "case_id: a\ncreated_at: 2026-11-01\n", "evidence/a.docx": "PK\x03\x04"},
    "概述的字数最多 2000": {"case.yaml": f"case_id: a\ncreated_at: 2026-11-01\nsummary: {'字' * 3000}\n"},
}  # fmt: skip


async def test_a_folder_that_cannot_be_brought_is_told_of_by_file_and_line(site: Site) -> None:
    person = await site.person("买家一")
    await person.get("/help-me/cases")
    assert (await person.send("/import")).status == 422
    for words, content in BAD.items():
        packed = io.BytesIO()
        if isinstance(content, dict):
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, text in content.items():
                    archive.writestr(name, text)
        raw = content if isinstance(content, bytes) else packed.getvalue()
        page = await person.send("/import", files=[("file", ("case.zip", raw, "application/zip"))])
        assert (page.status, words in page.words) == (422, True), (words, page.words)
    assert await site.app.database.fetch("SELECT 1 FROM help_case") == []
