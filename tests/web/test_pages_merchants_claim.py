"""What a merchant claims, from support's first view to the printed ruling: who says it, what the rules say, to whom."""

from pathlib import Path

from dispute import FIRST_VIEW, HANDED_IN, seen
from kabao.cases import SayFact
from kabao.postgres import Database
from quarrel import FULL, quarrel
from thorough import Thorough

USED = SayFact(fact="redeemed_by_buyer", shows=True, kind="issuer_record", confidence=97)


async def test_the_desk_reads_the_rules_on_a_merchants_claim_and_the_ruling_prints_them(
    database: Database, tmp_path: Path
) -> None:
    async with quarrel(database, tmp_path, by_merchant=True) as case:
        app, staff = case.site.app, case.people["客服一"]
        page = await case.staff.get(f"/desk/{case.ref}")
        # Whose claim it is stands in what staff sends on, which once called it the buyer's.
        assert "交接摘要。商家说“退款要扣约定的费用”" in page.words
        assert "问商家：证明诉求的记录" in page.words
        assert "买家说“" not in page.text
        assert "没有公示的费用不能扣" not in page.words
        seen(await app.cases.ladder.first_view(staff, case.ref, FIRST_VIEW))
        page = await case.staff.get(f"/desk/{case.ref}")
        assert "推出：全额退款 ¥96.50" in page.words
        assert "退给买家 ¥ 96 .50 ，结给商家 ¥ 0 .00" in page.words
        assert "商家自己愿意退" not in page.words
        # The rules would give the merchant more than he asks for: then everybody reads what he himself would give.
        await app.decisions.say_fact(staff, case.ref, USED)
        for reader, path in ((case.staff, "desk"), (case.merchant, "c"), (case.buyer, "c")):
            page = await reader.get(f"/{path}/{case.ref}")
            assert "商家自己愿意退 ¥ 90 .00" in page.words, path
            assert "退给买家 ¥ 0 .00 ，结给商家 ¥ 96 .50 （再扣平台服务费）" in page.words, path
            assert "里面的“你”指买家" not in page.words
        seen(await Thorough(app.cases.ladder).rule(staff, case.ref, FULL))
        await case.later(HANDED_IN)
        page = await case.buyer.get(f"/cases/{case.ref}/ruling")
        for told in ("退款要扣约定的费用", "第 233 条 买家已经用掉", "裁决没有照它"):
            assert told in page.words, told
