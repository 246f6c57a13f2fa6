"""Handing a case to an authority on pages: asked twice, told to both sides with where to go, and given back."""

from browser import Browser
from kabao.cases import OpenCase, Remedy
from kabao.identity import Role
from kabao.kernel import Refused
from pages import Site

VIEW = {"outcome": "no_refund", "share_merchant": "30", "share_buyer": "70", "sentence": "先看记录。"}
WHY = {"reason": "公安已立案，见证据一。"}


async def suspected(site: Site) -> tuple[Browser, Browser, Browser, str]:
    """Lead a quarrel to support with a crime suspected; returns merchant, buyer, support and the case."""
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    wish = OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="激活时提示已被使用。")
    opened = await site.app.cases.open(await site.known("小买家"), ref, wish)
    assert not isinstance(opened, Refused)
    await merchant.get(f"/c/{opened.ref}")
    await merchant.send("/say", {"kind": "answer", "body": "不同意。"})
    await buyer.get(f"/c/{opened.ref}")
    await buyer.send("/escalate")
    staff = await site.support()
    await staff.get(f"/desk/{opened.ref}")
    crime = {"fact": "crime_suspected", "shows": "yes", "kind": "police_record", "confidence": "95"}
    await staff.send("/fact", crime)
    return merchant, buyer, staff, opened.ref


async def test_an_authority_is_asked_for_twice_and_told_to_both_sides(site: Site) -> None:
    merchant, buyer, staff, case = await suspected(site)
    path = f"/desk/{case}"
    assert "route-out" not in (await staff.get(path)).text, "nothing tells what the rules say before a first view"
    page = await staff.send("/first-view", VIEW)
    assert "转有关部门" in page.words
    page = await staff.send("/route-out", {"reason": ""})
    assert page.status == 422
    page = await staff.send("/route-out", WHY)
    assert "只能转一次" in page.words
    assert "冻结在托管方，不会因为到时间就放款或退款" in page.words
    assert "已转有关部门" not in (await buyer.get(f"/c/{case}")).words
    page = await staff.post(f"{path}/route-out", page.form("/route-out").fields | {"step": "back"})
    assert page.form("/route-out").fields["reason"] == [WHY["reason"]]
    page = await staff.post(f"{path}/route-out", page.form("/route-out").fields | WHY | {"step": "sure"})
    assert "双方已收到通知" in page.words
    for party in (buyer, merchant):
        page = await party.get(f"/c/{case}")
        for said in ("这件已转有关部门", WHY["reason"], "拨 110", "12315", "等有关部门的说法", "最多 30 天"):
            assert said in page.words, said
        assert not any(form.action.endswith(("/withdraw", "/escalate")) for form in page.read.forms)
        assert f"/c/{case}/offer" not in page.text
    page = await staff.get(path)
    assert "等它的说法" in page.words
    officer, member = await site.staff("值班长一", Role.DUTY), await site.staff("组员一", Role.PANEL)
    assert case in (await officer.get("/desk")).text
    await officer.get(path)
    page = await officer.send("/route-back", {"reason": ""})
    assert page.status == 422
    page = await officer.send("/route-back", {"reason": "公安不予立案，见证据二。"})
    assert "已交给争议组裁决" in page.words
    assert "公安不予立案，见证据二。" in (await buyer.get(f"/c/{case}")).words
    assert case in (await member.get("/desk")).text
    await member.get(path)
    page = await member.send("/first-view", VIEW)
    assert "route-out" not in page.text, "an authority has a case once"
    assert page.read.forms


async def test_whoever_may_not_is_refused_on_the_page(site: Site) -> None:
    _, buyer, staff, case = await suspected(site)
    token = (await staff.get(f"/desk/{case}")).form("/first-view").fields
    page = await staff.post(f"/desk/{case}/route-out", token | WHY | {"step": "sure"})
    assert page.status == 409
    token = (await buyer.get(f"/c/{case}")).form("/say").fields
    for step in ("route-out", "route-back"):
        stolen = await buyer.post(f"/desk/{case}/{step}", token | WHY)
        assert stolen.status == 404
        page = await staff.get(f"/desk/{case}/{step}")
        assert page.status == 200
