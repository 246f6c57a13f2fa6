"""A merchant works through the cases of a shop: the list, what each comes to, and many granted at once."""

from kabao.cases import OpenCase, Remedy
from kabao.kernel import Refused
from pages import SHOP, Site


async def test_a_merchant_reads_what_each_case_comes_to_and_grants_the_chosen(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    page = await merchant.get(f"/m/{shop}/cases")
    assert "这里没有纠纷" in page.text
    buyer = await site.person("小买家")
    first = await site.complained(buyer, listing)
    part = OpenCase(claim="other", demand=Remedy.PARTIAL_REFUND, demand_minor=4000, statement="少了一半。")
    order = await site.bought(buyer, listing)
    opened = await site.app.cases.open(await site.known("小买家"), order, part)
    assert not isinstance(opened, Refused)
    second, third = opened.ref, await site.complained(buyer, listing)
    page = await merchant.get(f"/m/{shop}/cases")
    assert page.text.index(first) < page.text.index(second)
    assert "预计是估计，不是裁决" in page.text
    assert "每种选择要付多少" in page.text
    page = await merchant.send("/cases/grant", {})
    assert (page.status, "先勾选要照办的纠纷" in page.text) == (422, True)
    page = await merchant.send("/cases/grant", {"ref": [first, second, third]})
    assert "照买家的要求办这 3 件" in page.words
    assert "¥233.00" in page.text
    assert "马上付给你（已扣平台服务费）¥54.81" in page.words.replace(" ", "")
    assert (await merchant.get(f"/c/{first}")).form("/say"), "nothing is done by the first form"
    await merchant.get(f"/m/{shop}/cases")
    await merchant.send("/cases/grant", {"ref": [first, second, third]})
    await buyer.get(f"/c/{third}/withdraw")
    await buyer.send("/withdraw")
    sure = merchant.page.form("/cases/grant").fields
    page = await merchant.send("/cases/grant")
    assert "照办了 2 件，1 件没有办" in page.words
    assert "已撤回" in page.text
    told = page.path
    page = await merchant.post(f"/m/{shop}/cases/grant", sure)
    assert page.path == told
    assert "照办了 2 件，1 件没有办" in page.words, "a repeat tells the same"
    page = await merchant.get(f"/m/{shop}/cases?t=closed&after=nonsense")
    assert page.text.count("看看") == 3
    # A made-up address claims nothing that did not happen.
    page = await merchant.get(f"/m/{shop}/cases/granted?c={third}.done&c=1-1.done&c={first}.not_found")
    assert "照办了 1 件，1 件没有办" in page.words


async def test_an_inbox_is_its_owners_alone(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await merchant.get(f"/m/{shop}/cases")
    await merchant.send("/cases/grant", {"ref": [case]})
    sure = merchant.page.form("/cases/grant").fields
    for path in (f"/m/{shop}/cases", f"/m/{shop}/cases/granted?c={case}.done"):
        assert (await buyer.get(path)).status == 404
    page = await buyer.get("/me")
    stolen = sure | page.form("/me").fields
    assert (await buyer.post(f"/m/{shop}/cases/grant", stolen)).status in (403, 404)
    assert (await site.stranger().get(f"/m/{shop}/cases", follow=False)).status == 303
    # Another shop's case cannot be slipped in.
    other = await site.person("店主二")
    await other.get("/m/shops/new")
    theirs = (await other.send("/m/shops/new", SHOP)).path.split("/")[2]
    await other.get(f"/m/{theirs}/cases")
    fields = (await other.get(f"/m/{theirs}/deposit")).form("/deposit/pay").fields
    page = await other.post(f"/m/{theirs}/cases/grant", fields | {"ref": [case]})
    assert page.status == 404
    page = await other.post(f"/m/{theirs}/cases/grant", fields | {"ref": [case], "sure": "yes", f"cost-{case}": "9650"})
    assert "照办了 0 件" in page.words
    page = await other.post(f"/m/{theirs}/cases/grant", fields | {"ref": [f"{n}-1" for n in range(51)]})
    assert (page.status, "一次最多 50 件" in page.text) == (422, True)
