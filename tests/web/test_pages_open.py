"""Anyone reads the public figures, as a page and as CSV."""

from pages import Site


async def test_anyone_reads_the_figures_and_small_ones_are_not_among_them(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "other", "statement": "坏了。"})
    stranger = site.stranger()
    page = await stranger.get("/open")
    assert page.status == 200
    for told in (
        "公开数据",
        "诉求",
        "在哪一步了结",
        "裁决支持谁",
        "按时的有多少",
        "少于 20 件，不公布",
        "所有提出过的纠纷",
    ):
        assert told in page.words
    assert "/open.csv" in page.read.links
    assert "/open" in (await stranger.get("/")).read.links


async def test_the_table_comes_as_csv(site: Site) -> None:
    page = await site.stranger().get("/open.csv")
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/csv")
    assert page.text.splitlines()[0] == "section,key,label,cases,value,unit,withheld,computed_at"


async def test_a_month_has_its_own_page_and_table_and_nonsense_has_none(site: Site) -> None:
    stranger = site.stranger()
    page = await stranger.get("/open?month=2026-10")
    assert "2026 年 10 月提出的纠纷少于 20 件，不公布" in page.words
    assert "/open.csv?month=2026-10" in page.read.links
    table = await stranger.get("/open.csv?month=2026-10")
    assert table.headers["content-disposition"] == 'attachment; filename="open-2026-10.csv"'
    assert len(table.text.splitlines()) == 1
    for nonsense in ("2026-13", "x", "2026-10%0a"):
        for path in ("/open", "/open.csv"):
            assert (await stranger.get(f"{path}?month={nonsense}")).status == 404
