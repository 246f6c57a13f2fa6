"""What those who decide, and those who try what no form offers, do not get on the pages."""

from pathlib import Path

from kabao.identity import Role
from kabao.postgres import Database
from kabao.web.render import CSRF_FIELD
from kabao.web.uploads import TOKEN_HEADER
from pages import Site
from quarrel import PART, quarrel


async def test_a_panellist_neither_talks_in_an_order_nor_reads_another(database: Database, tmp_path: Path) -> None:
    async with quarrel(database, tmp_path) as case:
        other = await case.site.staff("复核员二", Role.PANEL)
        await case.ruled(PART)
        await case.review_asked()
        sits = case.reviewer if (await case.reviewer.get(f"/desk/{case.ref}")).status == 200 else other
        stands = other if sits is case.reviewer else case.reviewer
        for path in (f"/o/{case.order}", f"/o/{case.order}/receipts"):
            assert ((await sits.get(path)).status, (await stands.get(path)).status) == (200, 404), path
        said = await database.fetchval("SELECT count(*) FROM message")
        token = (await sits.get("/me")).form("/sign-out").fields[CSRF_FIELD][0]
        form, head = {CSRF_FIELD: token, "body": "我看买家有理。"}, {TOKEN_HEADER: token}
        files = [("files", ("a.txt", b"a", "text/plain"))]
        assert (await sits.post(f"/o/{case.order}/say", form, files=files)).status == 403
        assert (await sits.post(f"/o/{case.order}/links", form | {"link": "https://example.com/"})).status == 403
        begun = await sits.client.post(f"/o/{case.order}/uploads", json={"name": "a.txt", "bytes": 1}, headers=head)
        assert begun.status_code == 403
        assert await database.fetchval("SELECT count(*) FROM message") == said
        assert await database.fetchval("SELECT count(*) FROM evidence_item") == 1


async def test_a_cover_that_begins_before_there_were_years_is_refused(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    await merchant.get(f"/m/{shop}/cover")
    wish = {"from": "0001-01-01T00:00", "until": "9999-12-31T23:59", "each": "1", "total": "1"}
    page = await merchant.send("/cover", wish)
    assert page.status == 422
    assert "选开始的日期和时间" in page.text
