"""Support notes facts on its desk without seeing what the rules say, and both parties read the same list."""

from browser import Browser
from kabao.adjudication.service import packaged_book
from kabao.postgres import Database
from pages import Site

VERSION = packaged_book().edition.version

GOOD = {
    "fact": "key_failed",
    "shows": "yes",
    "kind": "issuer_record",
    "confidence": "95",
    "item_no": "",
    "note": "发行方说早用过。",
}


async def quarrel(site: Site) -> tuple[Browser, Browser, Browser, str]:
    merchant, _, listing = await site.selling()
    buyer, staff = await site.person("小买家"), await site.support()
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "already_used", "statement": "提示用过了"})
    return merchant, buyer, staff, page.path.split("/")[2]


async def test_support_notes_a_fact_and_everybody_reads_it(site: Site) -> None:
    merchant, buyer, staff, case = await quarrel(site)
    page = await staff.get(f"/desk/{case}")
    assert "还没有人对哪个事实提出过什么" in page.words
    form = page.form(f"/desk/{case}/fact")
    assert set(GOOD) <= form.names
    for said in ("卡密在正确的地方无法兑换（对买家有利，要 51% 把握）", "九成五", "发行方（官方）记录"):
        assert said in page.words
    # What the records prove is told as records, and cannot be said again.
    assert 'value="opened"' not in page.text
    page = await staff.send(f"/desk/{case}/fact", GOOD)
    assert page.status == 200
    for reader, path in ((staff, f"/desk/{case}"), (buyer, f"/c/{case}"), (merchant, f"/c/{case}")):
        page = await reader.get(path)
        for told in ("卡密在正确的地方无法兑换", "客服于", "发行方（官方）记录", "把握 95%", "发行方说早用过。"):
            assert told in page.words
    page = await staff.get(f"/desk/{case}")
    assert "按规则怎么判" not in page.words
    assert 'class="why"' not in page.text


async def test_damages_are_said_to_come_from_the_deposit_by_a_ruling(site: Site) -> None:
    merchant, buyer, staff, case = await quarrel(site)
    assert "裁决可以判赔偿" not in (await buyer.get(f"/c/{case}")).words
    await staff.get(f"/desk/{case}")
    page = await staff.send(f"/desk/{case}/fact", GOOD | {"fact": "deceit"})
    assert page.status == 200
    page = await buyer.get(f"/c/{case}")
    assert "另赔" in page.words
    assert "裁决可以判赔偿，从店铺的保证金付" in page.words
    page = await merchant.get(f"/c/{case}")
    assert "要裁决才会有，从你的保证金付" in page.words


async def test_what_is_missing_is_said_beside_its_field_and_nothing_typed_is_lost(site: Site) -> None:
    _, _, staff, case = await quarrel(site)
    await staff.get(f"/desk/{case}")
    empty = dict.fromkeys(GOOD, "") | {"note": "先写了说明"}
    page = await staff.send(f"/desk/{case}/fact", empty)
    assert page.status == 422
    for field in ("fact", "kind", "confidence"):
        assert f'id="{field}-e"' in page.text
    assert "选成立还是不成立" in page.words
    assert "先写了说明" in page.text
    for wrong, field in (
        ({"fact": "no_such"}, "fact"),
        ({"kind": "no_such"}, "kind"),
        ({"item_no": "7"}, "item_no"),
        ({"item_no": "x"}, "item_no"),
        ({"note": "长" * 501}, "note"),
        ({"confidence": "99"}, "confidence"),
    ):
        page = await staff.send(f"/desk/{case}/fact", GOOD | wrong)
        assert page.status == 422
        assert f'id="{field}-e"' in page.text
    page = await staff.get(f"/desk/{case}")
    assert "还没有人对哪个事实提出过什么" in page.words


async def test_a_closed_case_takes_no_more_facts_and_strangers_none(site: Site) -> None:
    _, buyer, staff, case = await quarrel(site)
    page = await staff.get(f"/desk/{case}")
    token = page.form(f"/desk/{case}/fact").fields
    page = await buyer.get(f"/c/{case}")
    stolen = await buyer.post(f"/desk/{case}/fact", page.form("/say").fields | GOOD)
    assert stolen.status == 404
    await buyer.get(f"/c/{case}/withdraw")
    await buyer.send("/withdraw")
    page = await staff.post(f"/desk/{case}/fact", token | GOOD)
    assert page.status == 409
    assert f"/desk/{case}/fact" not in (await staff.get(f"/desk/{case}")).text


async def test_a_ruling_names_the_version_and_what_stood_beside_it(site: Site, owner_database: Database) -> None:
    merchant, buyer, staff, case = await quarrel(site)
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "不同意。"})
    await buyer.get(f"/c/{case}")
    await buyer.send("/escalate")
    await staff.get(f"/desk/{case}")
    await staff.send(f"/desk/{case}/fact", GOOD)
    await staff.get(f"/desk/{case}")
    await staff.send("/first-view", {"outcome": "full_refund", "share_merchant": "100", "sentence": "看记录。"})
    ruling = {"outcome": "full_refund", "share_merchant": "100", "facts": "早用过。", "reasons": "发行方记录。"}
    await staff.send("/rule", ruling | {"differs_reason": "记录还没有编号。"})
    await staff.send("/rule", {"step": "sure"})
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    await site.app.cases.tick()
    for reader, path in ((buyer, f"/c/{case}"), (merchant, f"/c/{case}"), (staff, f"/desk/{case}")):
        page = await reader.get(path)
        assert f"本单适用规则 {VERSION} 版" in page.words.replace("本单适用 规则", "本单适用规则")
        assert "已一并存下" in page.words
        assert f'href="/rules/{VERSION}"' in page.text
    page = await buyer.get(f"/c/{case}")
    assert "和裁决一起存下" in page.words


async def test_a_merchant_is_told_that_the_articles_speak_to_the_buyer(site: Site) -> None:
    merchant, buyer, _, case = await quarrel(site)
    note = "条文是对买家说的，里面的“你”指买家。"
    assert note in (await merchant.get(f"/c/{case}")).words
    assert note not in (await buyer.get(f"/c/{case}")).words


async def test_what_was_read_in_the_listings_words_stands_at_the_desk_and_in_the_case(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}")
    await merchant.send(f"/listings/{listing}", {"description": "国服通用。退款时酌情扣除手续费。"})
    buyer = await site.person("买家一")
    case = await site.complained(buyer, listing, "clause_vague")
    desk = await site.support()
    for person, path in ((desk, f"/desk/{case}"), (buyer, f"/c/{case}"), (merchant, f"/c/{case}")):
        page = await person.get(path)
        assert "「退款时酌情扣除手续费」" in page.text, path
        assert "V-AMOUNT" in page.text, path
    other = await site.complained(await site.person("买家二"), listing)
    assert "酌情扣除" not in (await desk.get(f"/desk/{other}")).text.split("事实", 1)[1]
