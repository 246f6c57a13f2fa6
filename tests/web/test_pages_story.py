"""The main story by hand, without a script in the browser: sell, buy, open, quarrel, agree, rule."""

import io
from datetime import UTC, datetime

from PIL import Image

from browser import Browser
from kabao.cases import OpenCase, Remedy
from kabao.identity import Role
from kabao.kernel import Refused
from kabao.postgres import Database
from kabao.web.render import when
from pages import KEYS, Site


def picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()


RULING = {
    "share_merchant": "100",
    "share_buyer": "0",
    "share_platform": "0",
    "facts": "查明：商品页没有写区服。",
    "reasons": "理由",
    "differs_reason": "看过记录。",
}


async def test_a_merchant_opens_a_shop_lists_and_imports_keys(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    page = await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    assert "导入完成" in page.text
    again = await merchant.send("/keys", {"keys": f"{KEYS[0]}\nNEW-1\n{'x' * 600}"})
    assert "重复的卡密已经在这家店的库存里" in again.text
    assert "第 3 行" in again.text
    assert KEYS[0] not in again.text
    page = await merchant.send("/keys", files=[("file", ("keys.txt", b"NEW-2\nNEW-3\n", "text/plain"))])
    assert "keys.txt" in page.text
    stranger = site.stranger()
    page = await stranger.get("/?q=测试点卡")
    assert "测试点卡 100 元" in page.text
    page = await stranger.get(f"/i/{listing}")
    assert "测试主体" in page.text
    assert "000000000000009" in page.text
    assert "争议组" in page.text
    page = await stranger.get(f"/s/{shop}")
    assert "测试点卡店" in page.text


async def test_a_key_arrives_sealed_is_opened_in_two_steps_and_confirmed(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    page = buyer.page
    assert "封条完整" in page.text
    assert "在托管方保管中" in page.words
    assert not any(key in page.text for key in KEYS)
    page = await buyer.get(f"/o/{ref}/reveal")
    assert "不能再无理由退" in page.text
    page = await buyer.send("/reveal")
    assert page.path == f"/o/{ref}"
    assert any(key in page.text for key in KEYS)
    assert page.headers["cache-control"] == "no-store"
    assert "首次拆封" in page.text
    page = await buyer.get(f"/o/{ref}")
    assert any(key in page.text for key in KEYS)
    await buyer.get(f"/o/{ref}/confirm")
    page = await buyer.send("/confirm")
    assert "你已确认" in page.text


async def test_a_sealed_order_is_refunded_at_once(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/refund")
    page = await buyer.send("/refund")
    assert "已全额退款" in page.text
    assert "正在退给你" in page.text
    await site.app.instructions.run()
    assert "已退给你" in (await buyer.get(f"/o/{ref}")).text


async def test_keys_of_one_order_may_be_opened_one_by_one(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal")
    assert sum(key in page.text for key in KEYS) == 1
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal")
    assert sum(key in page.text for key in KEYS) == 2


async def test_an_unpaid_order_is_cancelled(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"notice": ["no_reason_after_open", "validity"]})
    assert "等你付款" in page.text
    page = await buyer.send("/cancel")
    assert "订单取消了" in page.text


async def test_an_offer_is_made_countered_and_accepted(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem?claim=already_used")
    page = await buyer.send("/problem")
    assert f"订单 {ref}" in page.text
    assert "这是估计，不是裁决" in page.words
    page = await buyer.send(
        "/problem",
        {"statement": "14:05 激活提示已被使用。"},
        files=[("files", ("shot.png", picture(), "image/png")), ("files", ("x.exe", b"MZ\x00\x01", "x/y"))],
    )
    assert page.path.startswith("/c/")
    case = page.path.split("/")[2]
    assert "shot.png" in page.text
    assert "「x.exe」没有收下：只收图片、视频、录音、PDF 和纯文本" in page.text
    assert "已提交，这笔钱冻结在托管方" in page.text
    assert "12315" in page.text
    assert "冻结在托管方" in page.words
    assert (await merchant.get("/m")).words.count("有 1 件事等你回应") == 1
    await merchant.get(f"/c/{case}")
    page = await merchant.send("/say", {"body": "我方核对过库存记录。"})
    assert "我方核对过库存记录。" in page.text
    await merchant.get(f"/c/{case}/offer")
    page = await merchant.send("/offer", {"kind": "partial_refund", "refund": "9000"})
    assert page.status == 422
    page = await merchant.send("/offer", {"kind": "partial_refund", "refund": "60", "note": "补你一部分"})
    assert "等对方决定" in page.text
    page = await buyer.get(f"/c/{case}")
    assert "接受 ¥60.00" in page.words
    page = await buyer.get(f"/c/{case}/offer")
    assert "商家提的是部分退款 ¥60.00。你要求全额退款" in page.words.replace("¥ 60 .00", "¥60.00")
    await buyer.send("/offer", {"kind": "full_refund"})
    await merchant.get(f"/c/{case}/accept")
    page = await merchant.send("/accept")
    assert "已和解" in page.text
    # What was agreed stands first; what the rules would have come to is folded away.
    told = page.words.replace(" ", "")
    assert told.index("双方同意：全额退款") < told.index("按规则本来会怎么判")
    assert "买家提出；" in told
    assert "商家接受。退给买家¥96.50，退到原付款账户。" in told
    assert "按规则怎么判" not in told
    assert "已全额退款" in (await buyer.get(f"/o/{ref}")).text


async def at_support(site: Site) -> tuple[Browser, Browser, Browser, str, str]:
    """Lead a quarrel to support; returns merchant, buyer and support, the order's and the case's reference."""
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    wish = OpenCase(claim="not_as_described", demand=Remedy.FULL_REFUND, statement="区服和商品页写的不一样。")
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    opened = await site.app.cases.open(await site.known("小买家"), ref, wish)
    assert not isinstance(opened, Refused)
    await merchant.get(f"/c/{opened.ref}")
    await merchant.send("/say", {"body": "商品页写明了区服。"})
    await buyer.get(f"/c/{opened.ref}")
    page = await buyer.send("/escalate")
    assert "客服处理中" in page.text
    return merchant, buyer, await site.support(), ref, opened.ref


VIEW = {"outcome": "no_refund", "share_merchant": "30", "share_buyer": "70", "sentence": "先看快照。"}


async def test_support_reads_both_sides_and_puts_a_first_view_down_before_it_rules(site: Site) -> None:
    _, _, staff, _, case = await at_support(site)
    page = await staff.get("/desk")
    assert case in page.text
    page = await staff.get(f"/desk/{case}")
    assert "区服和商品页写的不一样。" in page.text
    await staff.send("/say", {"body": "请商家补充截图。"})
    assert "按规则怎么判" not in page.words
    page = await staff.send("/first-view", VIEW | {"outcome": "partial_refund"})
    assert page.status == 422
    page = await staff.send("/first-view", VIEW | {"share_buyer": "0"})
    assert page.status == 422
    assert "三方加起来要是 100" in page.text
    page = await staff.send("/first-view", VIEW)
    assert "按规则怎么判" in page.words
    page = await staff.send("/rule", {"outcome": "partial_refund", "refund": "40", "facts": "", "reasons": "理由"})
    assert page.status == 422
    assert "写查明的事实" in page.text
    assert "三方加起来要是 100" in page.text
    page = await staff.send("/rule", RULING)
    assert "¥40.00" in page.words.replace(" ", "")
    page = await staff.send("/rule", {"step": "back"})
    assert "查明：商品页没有写区服。" in page.text


async def test_a_ruling_is_taken_back_made_anew_and_waits_for_its_review(site: Site, owner_database: Database) -> None:
    merchant, buyer, staff, ref, case = await at_support(site)
    await staff.get(f"/desk/{case}")
    await staff.send("/first-view", VIEW)
    wish = {"outcome": "partial_refund", "refund": "40", **RULING}
    await staff.send("/rule", wish)
    page = await staff.send("/rule", {"step": "sure"})
    assert "在那以前可以撤回" in page.text
    assert "查明：商品页没有写区服。" not in (await buyer.get(f"/c/{case}")).text
    await staff.send("/take-back")
    await staff.send("/rule", wish)
    await staff.send("/rule", {"step": "sure"})
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    await site.app.cases.tick()
    assert "已裁决" in (await staff.get(f"/desk/{case}")).text
    page = await buyer.get(f"/c/{case}")
    assert "查明：商品页没有写区服。" in page.text
    assert "这份裁决不是最终结论" in page.text
    assert "钱还冻结在托管方" in page.text
    page = await buyer.send("/review", {"reason": ""})
    assert page.status == 422
    page = await buyer.get(f"/c/{case}/waive")
    assert "放弃以后不能收回" in page.text
    assert "商家没有放弃，" in page.words
    await buyer.send("/waive")
    page = await buyer.get(f"/c/{case}/waive")
    assert page.path == f"/c/{case}", "waived once, for good"
    page = await merchant.get(f"/c/{case}/waive")
    assert "买家已经放弃，你也放弃的话，裁决马上执行" in page.words
    page = await merchant.send("/waive")
    assert "已按它执行" in page.text
    assert "已部分退款" in (await buyer.get(f"/o/{ref}")).text


async def test_who_is_asked_reads_until_when_the_clock_stands_and_hands_files_in(
    site: Site, owner_database: Database
) -> None:
    merchant, buyer, staff, _, case = await at_support(site)
    assert "现在问最晚暂停到" in (await staff.get(f"/desk/{case}")).words
    await staff.send("/ask", {"to": "buyer", "question": "在哪个区激活的？"})
    until = when(await owner_database.fetchval("SELECT ends_at FROM case_pause"), datetime.now(UTC))
    await staff.get(f"/desk/{case}")
    await staff.send("/ask", {"to": "buyer", "question": "几点激活的？"})
    page = await buyer.get(f"/c/{case}")
    assert page.words.count(f"暂停到 {until}") == 3, "once at the top and at each answer"
    assert 'class="cd paused"' in page.text
    assert "暂停" in page.words.partition("客服到时没有结论")[0], "said beside the clock"
    shot = [("proofs", ("区服.png", picture(), "image/png"))]
    page = await buyer.send("/reply", {"answer": ""}, files=shot)
    assert (page.status, "请重新选" in page.words) == (422, True)
    page = await buyer.send("/reply", {"answer": "在美区。"}, files=shot)
    assert "已回答" in page.text
    page = await merchant.get(f"/c/{case}")
    assert f"在等回答，时限暂停到 {until}" in page.words
    page = await buyer.get(f"/c/{case}")
    await buyer.send("/reply", {"answer": "20:15。"})
    page = await merchant.get(f"/c/{case}")
    assert ("区服.png" in page.words, "暂停到" in page.words) == (True, False)


async def test_a_question_is_answered_and_the_panel_votes_and_reviews(site: Site, owner_database: Database) -> None:
    merchant, buyer, staff, _, case = await at_support(site)
    await staff.get(f"/desk/{case}")
    page = await staff.send("/ask", {"question": "哪个区？"})
    assert page.status == 422
    page = await staff.send("/ask", {"to": "buyer", "question": ""})
    assert page.status == 422
    page = await staff.send("/ask", {"to": "buyer", "question": "在哪个区激活的？"})
    assert "已提问" in page.text
    page = await merchant.get(f"/c/{case}")
    assert not any(form.action.endswith("/reply") for form in merchant.page.read.forms)
    assert "轮到客服，你可以等" in page.words
    # Who was asked is not told to wait.
    page = await buyer.get(f"/c/{case}")
    assert "客服等你回答" in page.words
    assert "去回答提问" in page.words
    page = await buyer.send("/reply", {"answer": "在美区。"})
    assert "已回答" in page.text
    assert "轮到客服，你可以等" in page.words
    first, second = [await site.staff(name, Role.PANEL) for name in ("组员一", "组员二")]
    await staff.get(f"/desk/{case}")
    page = await staff.send("/pass-on")
    assert "把括号里的改成你的话" in page.text
    page = await staff.send("/pass-on", {"summary": "买家在美区激活；快照没有写区服。"})
    assert "争议组处理中" in page.text
    seats = [(one, case in (await one.get("/desk")).text) for one in (first, second)]
    [sits], [waits] = ([one for one, has in seats if has is wanted] for wanted in (True, False))
    assert (await waits.get(f"/desk/{case}")).status == 404
    assert "现在没有等你办的" in (await waits.get("/desk")).text
    assert "等争议组" in (await merchant.get("/m")).text
    assert (await sits.get(f"/c/{case}")).read.links.count("/desk") > 1, "the way back leads to the desk"
    await sits.get(f"/desk/{case}")
    page = await sits.send("/first-view", {"outcome": "full_refund", "share_merchant": "100", "sentence": "看快照。"})
    page = await sits.send("/vote", {"refund": "0", **RULING})
    assert page.status == 422
    await sits.send("/vote", {"upholds": "yes", "refund": "96.50", **RULING})
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    await site.app.cases.tick()
    page = await merchant.get(f"/c/{case}")
    assert "争议组的裁决：全额退款 ¥96.50" in page.text
    assert "可申请复核" in (await merchant.get("/m")).text
    await merchant.get(f"/c/{case}")
    page = await merchant.send("/review", {"reason": "快照写明了区服。"})
    assert "复核中" in page.text
    await waits.get(f"/desk/{case}")
    page = await waits.send("/recuse", {"why": ""})
    assert page.status == 422
    page = await waits.send("/recuse", {"why": "认识店主。"})
    assert "已回避" in page.text
    assert (await waits.get(f"/desk/{case}")).status == 404


async def test_a_case_is_withdrawn_and_the_clock_runs_on(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。", "by_person": "yes"})
    case = page.path.split("/")[2]
    assert (await buyer.get(f"/cases/{case.lower()}")).path == f"/c/{case}"
    await merchant.get(f"/c/{case}/offer")
    await merchant.send("/offer", {"kind": "full_refund"})
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/refuse")
    assert "不影响后面的处理" in page.text
    await buyer.get(f"/c/{case}/withdraw")
    page = await buyer.send("/withdraw")
    assert "已撤回" in page.text
    assert "等你拆封" in (await buyer.get(f"/o/{ref}")).text


async def test_a_merchant_grants_the_demand(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "late", "statement": "来晚了。", "by_person": "yes"})
    case = page.path.split("/")[2]
    await merchant.get(f"/c/{case}/accept?what=demand")
    page = await merchant.send("/accept")
    assert "已和解" in page.text
    assert ref in (await merchant.get(f"/m/{shop}/orders?t=ended")).text
    assert "已全额退款" in (await merchant.get(f"/o/{ref}")).text


async def test_the_chat_of_an_order_reaches_the_other_side_with_its_files(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    page = await buyer.send("/say", {"body": ""})
    assert page.status == 422
    page = await buyer.send("/say", {"body": "在吗"}, files=[("files", ("a.txt", "内容".encode(), "text/plain"))])
    page = await merchant.get(f"/o/{ref}")
    assert "在吗" in page.text
    assert "卡密只给买家看" in page.text or "未拆封" in page.text
    [about] = {link for link in page.read.links if "/evidence/" in link}
    assert "内容" in (await merchant.get(about)).text
    item = about.replace("/evidence/", "/files/")
    shown = await merchant.get(item)
    assert shown.text == "内容"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert (await merchant.get(f"{item}/original")).status == 404
    mine = await buyer.get(f"{item}/original")
    assert mine.headers["content-disposition"].startswith("attachment")
    assert mine.headers["x-content-type-options"] == "nosniff"
