"""The merchant's stock: what an upload says, taking an import back, and finding a key that was sold."""

import pytest

from kabao.identity import Role
from pages import KEYS, Site

PAIRS = "卡号,密码,面值\nAAA001,PW001,10\n\nAAA002,PW002,10\nAAA001,PW001,10\n".encode()


def upload(content: bytes, name: str = "cards.csv") -> list[tuple[str, tuple[str, bytes, str]]]:
    return [("file", (name, content, "application/octet-stream"))]


async def test_a_file_of_numbers_and_passwords_is_explained_and_sold_whole(site: Site) -> None:
    """The passwords of such a file were once lost, and its header sold as a key."""
    merchant, shop, listing = await site.selling(keys=["TEST-0000-AAAA"])
    await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    page = await merchant.send("/keys", files=upload(PAIRS))
    for words in (
        "表头 1 行，空行 1 行，不算卡密",
        "用的是第 1 列「卡号」和第 2 列「密码」，合成一张卡密；另外 1 列没有用",
        "1 个在这份里面自己重复",
    ):
        assert words in page.words
    assert "没有再收" not in page.words.split("查一张卡密")[0].split("导入完成")[1]
    assert "AAA001" not in page.text
    buyer = await site.person("小买家")
    await site.bought(buyer, listing)
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal")
    assert "卡号 AAA001 密码 PW001" in page.text


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "cards.txt", "这不是文本文件，没有导入"),
        (b"AAA001,PW001\nAAA002,PW002\n", "cards.csv", "没有认出卡密在哪一列，没有导入"),
        ("卡号,口令码\nA,B\n".encode(), "cards.csv", "认出了「卡号」，没有认出密码那一列"),
        ("卡密\n一二三".encode("gb18030"), "cards.csv", "文件不是 UTF-8 编码，没有导入"),
        (b"\n \n", "cards.txt", "文件是空的，没有导入"),
    ],
)
async def test_a_refused_file_says_why_and_no_old_report_passes_for_its_answer(
    site: Site, content: bytes, name: str, says: str
) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    page = await merchant.send("/keys", files=upload(content, name))
    assert page.status in {415, 422}
    assert says in page.words
    assert "导入完成" not in page.words
    assert "以前的导入" in page.words
    assert "导入完成" in (await merchant.get(f"/m/{shop}/listings/{listing}/keys")).words


async def test_a_file_and_pasted_keys_together_are_not_guessed_at(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    page = await merchant.send("/keys", {"keys": "PASTED-1"}, files=upload(b"FILED-1\n", "x.txt"))
    assert page.status == 422
    assert "只留一样再导入" in page.words
    assert "PASTED-1" not in page.text
    assert page.words.count("粘贴：新增") == 1


async def test_a_wrong_import_is_taken_back_in_two_steps(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    keys = f"/m/{shop}/listings/{listing}/keys"
    buyer = await site.person("小买家")
    await site.bought(buyer, listing)
    page = await merchant.get(keys)
    [step] = [link for link in page.read.links if link.endswith("/withdraw")]
    assert "撤回还没卖的 4 张" in page.words
    page = await merchant.get(step)
    assert "已经在订单里的卡密不动" in page.words
    page = await merchant.send("/withdraw")
    assert page.path == keys
    assert "4 张已撤回，可以重新导入" in page.words
    assert "/withdraw" not in page.text
    assert "都卖出或者撤回过了" in (await merchant.get(step)).words
    await merchant.get(keys)
    page = await merchant.send("/keys", {"keys": "\n".join(KEYS)})
    assert "1 个重复的卡密已经在这家店的库存里" in page.words
    assert "撤回还没卖的 4 张" in page.words
    assert "已撤回 4" in page.words


async def test_only_the_owner_takes_back_or_looks_up(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    page = await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    [step] = [link for link in page.read.links if link.endswith("/withdraw")]
    other = await site.person("店主二", Role.MERCHANT)
    token = (await other.get("/me")).form("/me").fields
    assert (await other.get(step)).status == 404
    assert (await other.post(step, token)).status == 404
    find = f"/m/{shop}/listings/{listing}/keys/find"
    assert (await other.post(find, token | {"code": [KEYS[0]]})).status == 404
    for wrong in ("1-2", f"{shop}-2", "x"):
        path = f"/m/{shop}/listings/{listing}/imports/{wrong}/withdraw"
        assert (await merchant.get(path)).status == 404
    stranger = site.stranger()
    assert (await stranger.get(step)).path.startswith("/sign-in")
    assert (await stranger.post(step)).status == 401
    page = await stranger.post(find, {"code": KEYS[0]})
    assert page.status == 401
    assert KEYS[0] not in page.text


async def test_an_import_that_still_runs_is_not_taken_back(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    page = await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    [step] = [link for link in page.read.links if link.endswith("/withdraw")]
    await merchant.get(step)
    token = merchant.page.form("/withdraw").fields
    await site.app.database.execute("UPDATE key_import SET state = 'running'")
    assert "等它完成再撤回" in (await merchant.get(step)).words
    assert (await merchant.post(step, token)).status == 409


async def test_a_merchant_looks_up_a_key_and_finds_its_order(site: Site) -> None:
    merchant, shop, listing = await site.selling(keys=["ONLY-KEY-0001"])
    keys = f"/m/{shop}/listings/{listing}/keys"
    await merchant.get(keys)
    page = await merchant.send("/keys/find#find", {"code": "ONLY-KEY-0001"})
    assert "在库存里，可卖" in page.words
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    page = await merchant.send("/keys/find#find", {"code": " ONLY-KEY-0001 "})
    assert "已送达，买家没有拆封" in page.words
    assert f'href="/o/{ref}"' in page.text
    assert page.path.endswith("/keys/find")
    assert "ONLY-KEY-0001" not in page.text
    page = await merchant.send("/keys/find#find", {"code": "OTHER-KEY-1"})
    assert "这家店没有导入过这张卡密" in page.words
    assert "OTHER-KEY-1" not in page.text
    for wrong in ("", "k" * 501):
        assert (await merchant.send("/keys/find#find", {"code": wrong})).status == 422
    assert (await merchant.get(f"{keys}/find")).path == keys
    [account] = await site.app.accounts("店主一")
    for _ in range(60):
        await site.app.identity.allow(f"find-key:{account}", 60, 3600)
    assert (await merchant.send("/keys/find#find", {"code": "ONLY-KEY-0001"})).status == 429


async def test_a_key_of_another_listing_of_the_shop_is_found_too(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/new")
    page = await merchant.send("/listings/new", {"title": "另一件", "description": "测试。", "price_minor": "1"})
    await merchant.get(f"/m/{shop}/listings/{page.path.split('/')[4]}/keys")
    page = await merchant.send("/keys/find#find", {"code": KEYS[0]})
    assert f'href="/m/{shop}/listings/{listing}"' in page.text


async def test_the_order_tells_its_merchant_which_keys_went_out(site: Site) -> None:
    merchant, _, listing = await site.selling(keys=["AAAA-1111", "AAAA-2222"])
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal", {"pos": "1"})
    assert "尾号" not in page.words
    page = await merchant.get(f"/o/{ref}")
    assert "尾号 1111" in page.words
    assert "尾号 2222" in page.words
    assert "AAAA" not in page.text
