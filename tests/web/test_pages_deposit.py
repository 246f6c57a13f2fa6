"""The merchant's deposit, a claim after the release, and a refund to another account, as people see them."""

import pytest

from browser import Browser, Shown
from kabao.cases import OpenCase, Remedy
from kabao.kernel import Refused
from kabao.orders import audit
from kabao.postgres import Database
from pages import Site


def plain(page: Shown) -> str:
    """The words of a page without the spaces between parts of an amount."""
    return page.words.replace(" ", "")


async def released(site: Site, buyer: Browser, listing: str) -> str:
    """Buy, open and confirm."""
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send(f"/o/{ref}/reveal")
    await buyer.get(f"/o/{ref}/confirm")
    await buyer.send(f"/o/{ref}/confirm")
    await site.app.instructions.run()
    return ref


async def pay_deposit(merchant: Browser, shop: str, yuan: str) -> None:
    await merchant.get(f"/m/{shop}/deposit")
    page = await merchant.send("/deposit/pay", {"amount": yuan})
    assert page.path.startswith("/sandbox-custodian/"), page.words
    assert "存进店铺的保证金账户" in page.text
    page = await merchant.send(page.path)
    assert page.path == f"/m/{shop}/deposit"
    assert "托管方收到了保证金" in page.text


async def test_a_merchant_pays_a_deposit_in_sees_it_and_has_it_back(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    page = await merchant.get(f"/m/{shop}/deposit")
    assert "还没有交过保证金" in page.text
    page = await merchant.send("/deposit/pay", {"amount": "a lot"})
    assert (page.status, "填多少元" in page.text) == (422, True)
    page = await merchant.send("/deposit/pay", {"amount": "0.50"})
    assert (page.status, "1 元和 100 万元之间" in page.text) == (422, True)
    await pay_deposit(merchant, shop, "500")
    assert "交入保证金" in merchant.page.text
    assert "¥500.00" in plain(await merchant.get("/m"))
    await merchant.get(f"/m/{shop}/deposit")
    page = await merchant.send("/deposit/return", {"back": "500.01"})
    assert (page.status, "不能超过现有的保证金" in page.text) == (422, True)
    page = await merchant.send("/deposit/return", {"back": "x"})
    assert (page.status, "填多少元" in page.text) == (422, True)
    page = await merchant.send("/deposit/return", {"back": "500"})
    assert "正在退回给你" in page.text
    assert await site.app.instructions.run() == 1
    assert "正在退回给你" not in (await merchant.get(f"/m/{shop}/deposit")).text


async def test_a_deposit_is_its_owners_alone(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    page = await merchant.get(f"/m/{shop}/deposit")
    form = page.form("/deposit/pay").fields
    other = await site.person("小买家")
    for answer in (
        await other.get(f"/m/{shop}/deposit"),
        await other.post(f"/m/{shop}/deposit/pay", form | {"amount": "5"}),
        await other.post(f"/m/{shop}/deposit/return", form | {"back": "5"}),
    ):
        assert answer.status in (403, 404)
    stranger = site.stranger()
    assert (await stranger.get(f"/m/{shop}/deposit", follow=False)).status in (302, 303)


async def test_a_bound_deposit_says_why(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await pay_deposit(merchant, shop, "500")
    page = await merchant.get(f"/m/{shop}/deposit")
    old = page.form("/deposit/return").fields
    buyer = await site.person("小买家")
    await site.bought(buyer, listing)
    assert "还有钱在托管中的订单" in (await merchant.get(f"/m/{shop}/deposit")).text
    page = await merchant.post(f"/m/{shop}/deposit/return", old | {"back": "1"})
    assert (page.status, "保证金现在不能退" in page.text) == (409, True)


async def test_a_claim_after_the_release_is_settled_from_the_deposit(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await released(site, buyer, listing)
    page = await buyer.get(f"/o/{ref}")
    assert "有问题还能提" in plain(page)
    late = await buyer.post(f"/o/{ref}/refund", page.form("/say").fields)
    assert (late.status, "该退的从店铺的保证金付" in late.text) == (409, True)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "already_used", "demand": "full_refund"})
    assert "全额退款 ¥96.50" in buyer.page.form("/problem").fields["statement"][0]
    assert "该退的从店铺的保证金付" in plain(buyer.page)
    page = await buyer.send("/problem", {"statement": "提示已被使用", "step": ""})
    assert page.path.startswith("/c/"), page.words
    case = page.path.split("/")[2].split("?")[0]
    assert "已经放款，最多还能退¥96.50" in plain(page)
    assert "冻结在托管方" not in plain(page)
    assert "最多还能退¥96.50，从店铺的保证金付" in plain(await buyer.get(f"/o/{ref}"))
    page = await merchant.get(f"/c/{case}/accept?what=demand")
    assert "从你的保证金付¥96.50，放款时收的平台服务费不退" in plain(page)
    page = await merchant.send(f"/c/{case}/accept")
    assert (page.status, "店铺的保证金不够付" in page.text) == (409, True)
    await pay_deposit(merchant, shop, "100")
    await merchant.get(f"/c/{case}/accept?what=demand")
    page = await merchant.send(f"/c/{case}/accept")
    assert page.status == 200, page.words
    assert await site.app.instructions.run() == 1
    page = await buyer.get(f"/o/{ref}")
    assert "放款后又退给你¥96.50" in plain(page)
    page = await merchant.get(f"/m/{shop}/deposit")
    assert "放款后退给买家" in page.text
    assert "和解" in page.text
    async with site.app.database.transaction(isolation="repeatable_read", readonly=True) as conn:
        assert (await audit(conn)).ok


async def test_a_ruling_after_the_release_says_what_pays_and_that_nothing_is_frozen(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send(f"/o/{ref}/reveal")
    page = await buyer.get(f"/o/{ref}/confirm")
    assert "售后期内有问题还能提，该退的从店铺的保证金付" in plain(page)
    await buyer.send(f"/o/{ref}/confirm")
    wish = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="提示已被使用")
    opened = await site.app.cases.open(await site.known("小买家"), ref, wish)
    assert not isinstance(opened, Refused)
    await merchant.get(f"/c/{opened.ref}")
    await merchant.send("/say", {"body": "发出前验过。"})
    await buyer.get(f"/c/{opened.ref}")
    await buyer.send("/escalate")
    staff = await site.support()
    await staff.get(f"/desk/{opened.ref}")
    await staff.send("/first-view", {"outcome": "full_refund", "share_merchant": "100", "sentence": "看记录。"})
    ruling = {"outcome": "full_refund", "share_merchant": "100", "facts": "见经过。", "reasons": "见记录。"}
    page = await staff.send("/rule", ruling | {"differs_reason": "另有证据。"})
    assert "在那以前不动钱" in page.text
    assert "从店铺的保证金付，不够的平台先垫" in page.text
    assert "冻结" not in page.text


async def test_a_ruling_without_money_says_where_it_stands_until_there_is_some(
    site: Site, owner_database: Database
) -> None:
    merchant, shop, listing = await site.selling()
    buyer, staff = await site.person("小买家"), await site.support()
    ref = await released(site, buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "other", "demand": "full_refund"})
    page = await buyer.send("/problem", {"statement": "坏了", "step": ""})
    case = page.path.split("/")[2].split("?")[0]
    await owner_database.execute("UPDATE cases SET due_at = opened_at")
    await site.app.cases.tick()
    await staff.get(f"/desk/{case}")
    shares = {"share_merchant": "100", "share_buyer": "0", "share_platform": "0"}
    await staff.send("/first-view", {"outcome": "full_refund", "sentence": "坏的。", **shares})
    await staff.send(
        "/rule",
        {"outcome": "full_refund", "facts": "坏的。", "reasons": "应退。", "differs_reason": "看过。", **shares},
    )
    await staff.send("/rule", {"step": "sure"})
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    await site.app.cases.tick()
    page = await buyer.get(f"/c/{case}")
    assert "复核期满才执行，在那以前不动钱" in page.text
    await buyer.get(f"/c/{case}/waive")
    await buyer.send("/waive")
    await merchant.get(f"/c/{case}/waive")
    page = await merchant.send("/waive")
    assert "等钱到位" in page.text
    assert "把保证金交足就自动执行" in page.text
    assert f"/m/{shop}/deposit" in page.read.links
    assert "钱到位就自动执行，不用再做什么" in (await buyer.get(f"/c/{case}")).text
    assert "冻结在托管方" not in plain(page)
    assert "接受，还是申请复核" not in page.text
    await pay_deposit(merchant, shop, "100")
    assert await site.app.cases.tick() == 1
    page = await buyer.get(f"/c/{case}")
    assert "钱到位了，按裁决执行" in page.text
    assert "放款后又退给你¥96.50" in plain(await buyer.get(f"/o/{ref}"))


async def test_a_claim_may_be_withdrawn_and_partly_offered(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await released(site, buyer, listing)
    wish = {"claim": "other", "demand": "partial_refund"}
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", wish | {"amount": "96.51"})
    assert (page.status, "不能超过 ¥96.50" in page.text) == (422, True)
    await buyer.send("/problem", wish | {"amount": "30"})
    page = await buyer.send("/problem", {"statement": "坏了", "step": ""})
    case = page.path.split("/")[2].split("?")[0]
    await merchant.get(f"/c/{case}/offer")
    assert "最多还能退¥96.50" in plain(merchant.page)
    await merchant.send("/offer", {"kind": "partial_refund", "refund": "20", "note": "补一点"})
    page = await buyer.get(f"/c/{case}")
    assert "钱从店铺的保证金付" in plain(page)
    assert "从店铺的保证金付¥20.00" in plain(page)
    page = await buyer.get(f"/c/{case}/withdraw")
    assert "撤回后钱不动" in page.text
    await buyer.send("/withdraw")
    assert "有问题还能提" in plain(await buyer.get(f"/o/{ref}"))


async def test_a_merchant_gives_back_of_his_own_accord(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await released(site, buyer, listing)
    await pay_deposit(merchant, shop, "100")
    await merchant.get(f"/o/{ref}")
    page = await merchant.send("/give-back", {"back": "-1"})
    assert (page.status, "填要退多少元" in page.text) == (422, True)
    page = await merchant.send("/give-back", {"back": "96.51"})
    assert (page.status, "0.01 元和这单还能退的金额之间" in page.text) == (422, True)
    page = await merchant.send("/give-back", {"back": "20"})
    assert "托管方会退给买家" in page.text, "the custodian has not paid it yet"
    assert "放款后又退给买家¥20.00" in plain(page)
    form = page.form("/give-back").fields
    again = await merchant.post(f"/o/{ref}/give-back", form | {"back": "20", "left": "96.50"})
    assert (again.status, "刚才已经退过一笔" in again.text) == (422, True), "a button pressed twice"
    assert "放款后又退给买家¥20.00" in plain(await merchant.get(f"/o/{ref}"))
    assert (await buyer.post(f"/o/{ref}/give-back", form | {"back": "1"})).status in (403, 404)
    assert "give-back" not in (await buyer.get(f"/o/{ref}")).text


async def test_a_refund_that_cannot_arrive_asks_for_another_account(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    [checkout] = [
        row["checkout_id"] for row in await site.app.database.fetch("SELECT checkout_id FROM sandbox.checkout")
    ]
    await buyer.get(f"/sandbox-custodian/checkout/{checkout}")
    page = await buyer.send("/close")
    assert page.path == f"/o/{ref}"
    assert "付款账户已注销" in page.text
    await buyer.get(f"/o/{ref}/refund")
    await buyer.send(f"/o/{ref}/refund")
    assert await site.app.instructions.run() == 0
    page = await buyer.get(f"/o/{ref}")
    assert "¥96.50没能退回原账户" in plain(page)
    assert "¥96.50没能退到原付款账户，还在托管方，等你给新的收款账户" in plain(page)
    page = await buyer.send("/account", {"account": "a b"})
    assert (page.status, "填 4 到 60 位的账户号" in page.text) == (422, True)
    page = await buyer.send("/account", {"account": "６222 0000  1111"})
    assert "6222 0000 1111" in page.words, "read back before money goes there"
    assert await site.app.instructions.run() == 0
    page = await buyer.send("/account")
    assert "正在再退一次" in page.text
    assert await site.app.instructions.run() == 1
    page = await buyer.get(f"/o/{ref}")
    assert "没能退回原账户" not in plain(page)
    assert "6222" not in page.text


async def test_a_payment_taken_back_by_the_bank_is_said_to_both_and_ends_the_case(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    ref = (await buyer.get(f"/c/{case}")).text.split('href="/o/')[1].split('"')[0]
    checkout = await site.app.database.fetchval("SELECT checkout_id FROM sandbox.checkout")
    assert "银行撤回付款" in (await buyer.get(f"/sandbox-custodian/checkout/{checkout}")).text
    page = await buyer.send("/chargeback")
    assert (page.path, "付款银行撤回了这笔付款（演示）" in page.text) == (f"/o/{ref}", True)
    for side, known in ((buyer, "先问付款银行"), (merchant, "也不再付给商家")):
        page = await side.get(f"/o/{ref}")
        assert "付款被银行撤回了" in page.text
        assert "托管方剩下的¥96.50由银行退给付款人" in plain(page).replace(" ", "")
        assert known in page.text
        page = await side.get(f"/c/{case}")
        assert "付款银行撤回了这笔付款。" in page.text
        assert "不算谁输谁赢" in page.text


@pytest.mark.parametrize("path", ["nothing", "nothing/close", "nothing/chargeback"])
async def test_no_checkout_is_closed_by_guessing(site: Site, path: str) -> None:
    buyer = await site.person("小买家")
    page = await buyer.get("/o")
    assert page.status == 200
    answer = await buyer.post(f"/sandbox-custodian/checkout/{path}")
    assert answer.status == 404
    assert not isinstance(await site.app.deposits.reserve(), Refused)
