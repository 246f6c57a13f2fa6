"""Anyone signed in proposes to change the rules; everybody reads what was put up and what became of it."""

from kabao.adjudication.service import packaged_book
from kabao.figures import Shown
from pages import Site

WISH = {"clause": "卡密无效才退。", "suggestion": "卡密不能用就退。", "reason": "说法更清楚。"}


async def test_a_proposal_goes_from_the_rules_to_its_answer(site: Site) -> None:
    stranger, buyer = site.stranger(), await site.person("小买家")
    assert "/rules/proposals" in (await stranger.get("/rules")).read.links
    assert "还没有公开的建议" in (await stranger.get("/rules/proposals")).words
    assert (await stranger.get("/rules/proposals/new")).path.startswith("/sign-in")
    await buyer.get("/rules/proposals/new?article=key_refund")
    page = await buyer.send("/rules/proposals/new", dict.fromkeys(WISH, ""))
    assert page.status == 422
    assert page.form("/new").fields["article"] == ["key_refund"]
    page = await buyer.send("/rules/proposals/new", WISH)
    assert page.path == "/rules/proposals"
    for told in ("我提的", "还没公开", "还没答复", WISH["clause"], "第 47 条"):
        assert told in page.words
    assert WISH["clause"] not in (await stranger.get("/rules/proposals")).words
    [one] = await site.app.proposals.every()
    assert await site.app.proposals.show(one.proposal_id, Shown()) is None
    page = await stranger.get("/rules/proposals")
    assert WISH["suggestion"] in page.words
    assert "小买家" not in page.words
    await site.app.proposals.take_up(one.proposal_id, packaged_book().edition.version)
    assert "已写进" in (await stranger.get("/rules/proposals")).words
    assert "已采纳，写进" in (await buyer.get("/messages")).words


async def test_a_declined_one_says_why_and_five_a_day_are_enough(site: Site) -> None:
    buyer = await site.person("小买家")
    for _ in range(5):
        await buyer.get("/rules/proposals/new")
        assert (await buyer.send("/rules/proposals/new", WISH)).path == "/rules/proposals"
    await buyer.get("/rules/proposals/new")
    page = await buyer.send("/rules/proposals/new", WISH)
    assert page.status == 429
    assert WISH["reason"] in page.text
    first = (await site.app.proposals.every())[0]
    await site.app.proposals.decline(first.proposal_id, "法律已有规定。")
    assert "没有采纳：法律已有规定。" in (await buyer.get("/rules/proposals")).words
