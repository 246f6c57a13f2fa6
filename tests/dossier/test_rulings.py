"""A ruling as a document: what it tells, to whom, what became of it, and that its signature proves it unaltered."""

import base64
import io
import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from pypdf import PdfReader

from archive import SITE, Archive, contents, made, stream
from dispute import BUYERS, FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, TO_ASK, WISH, code, seen
from kabao.adjudication.service import packaged_book
from kabao.cases import CaseView, CastVote, MakeOffer, Outcome, Remedy, Rule, RulingStage, SayFact, Shares, Side
from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.dossier import RulingFile, RulingSheet, RulingShown, RulingState
from kabao.identity import Person, Role
from kabao.kernel import Refusal, Refused
from kabao.packs import pem_of
from kabao.postgres import Database
from market import open_account, person
from thorough import LAW

VERSION = packaged_book().edition.version
PRICE = 9650
ALL = Rule(
    outcome=Outcome.FULL_REFUND,
    shares=MERCHANTS,
    facts="E1 显示拆封三分钟后提示已被使用。",
    reasons="依细则第 12 条，商家没有举证。",
    differs_reason="发行方的记录优先。",
)
PART = Rule(
    outcome=Outcome.PARTIAL_REFUND,
    refund_minor=4000,
    shares=Shares(buyer=40, merchant=60),
    facts="E1 看不清。",
    reasons="各担一部分。",
    differs_reason="双方都有责任。",
)
PICTURE = SayFact(fact="key_failed", shows=True, item_no=1, note="看第一张图")


@pytest.fixture
async def archive(database: Database, owner_database: Database, tmp_path: Path) -> Archive:  # noqa: ARG001  migrates
    archive = await Archive.ready(database, tmp_path)
    await archive.desk.rulebook.begin()
    return archive


async def argued(archive: Archive) -> CaseView:
    """Open a case with evidence and an answer, and ask support in."""
    desk, market = archive.desk, archive.desk.market
    case = await desk.case()
    given = await desk.cases.add_file(market.buyer, case.ref, "报错.txt", stream("已被使用".encode()))
    assert not isinstance(given, Refused)
    assert not isinstance(await archive.decisions.say_fact(market.buyer, case.ref, PICTURE), Refused)
    seen(await desk.cases.answer(market.owner, case.ref, "我们进的是新货。"))
    return seen(await desk.cases.escalate(market.buyer, case.ref))


def shown(answer: RulingShown | Refused) -> RulingShown:
    assert isinstance(answer, RulingShown), answer
    return answer


def printed(answer: RulingFile | Refused) -> RulingFile:
    assert isinstance(answer, RulingFile), answer
    return answer


async def panellist(archive: Archive) -> Person:
    return await archive.desk.staff(Role.PANEL)


async def reviewed(archive: Archive, case: CaseView, wish: Rule, panellist: Person) -> None:
    """Let the reviewer rule, and the ruling become known."""
    desk = archive.desk
    seen(await desk.ladder.first_view(panellist, case.ref, FIRST_VIEW))
    seen(await desk.ladder.rule(panellist, case.ref, wish))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1


async def states(archive: Archive, ref: str) -> list[tuple[int, RulingState]]:
    found = shown(await archive.rulings.ruling(archive.desk.market.buyer, ref))
    return [(card.no, card.state) for card in found.cards]


async def test_a_ruling_tells_all_there_was_and_nothing_that_came_later(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    case = await desk.ruled(await argued(archive), ALL)
    desk.pass_time(HOUR)
    late = await desk.cases.add_file(market.buyer, case.ref, "后来.txt", stream(b"too late"))
    assert not isinstance(late, Refused)
    found = shown(await archive.rulings.ruling(market.owner, case.ref))
    sheet = found.sheet
    assert (sheet.label, sheet.refund_minor, sheet.merchant_minor) == ("全额退款 ¥96.50", PRICE, 0)
    assert "冻结的货款" in sheet.payer
    assert (sheet.heading, sheet.made_by, sheet.version) == ("客服的裁决", "客服", VERSION)
    assert [(item.no, item.is_cited) for item in sheet.items] == [(1, True)]
    points = [(point.by, point.said, point.item_no, point.answer) for point in sheet.points]
    assert points == [
        ("buyer", WISH.statement, None, ""),
        ("merchant", "我们进的是新货。", None, ""),
        ("buyer", "看第一张图", 1, "按规则：没有达到证明标准。"),
    ]
    assert sheet.rules is not None
    assert sheet.rules.articles
    assert sheet.rules.laws
    assert all(not line.startswith("依《") for line in sheet.rules.findings)
    assert sheet.review_until == sheet.made_at + TO_ASK
    assert found.state is RulingState.ISSUED


async def test_a_ruling_stands_on_its_own_articles_and_answers_each_point_of_both_sides(
    archive: Archive, owner_database: Database
) -> None:
    desk, market, ladder = archive.desk, archive.desk.market, archive.desk.ladder.plain
    case, staff = await argued(archive), archive.desk.market.staff
    offer = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=1000, note="送个人情。")
    replaced = seen(await desk.cases.offer(market.owner, case.ref, replace(offer, note="先前的理由。"))).offers[-1]
    for _ in range(19):
        seen(await desk.cases.offer(market.owner, case.ref, offer))
    flood = await desk.cases.offer(market.owner, case.ref, offer)
    assert isinstance(flood, Refused)
    assert flood.code is Refusal.OFFERS_FULL
    seen(await ladder.first_view(staff, case.ref, FIRST_VIEW))
    points = await ladder.points(market.buyer, case.ref)
    assert not isinstance(points, Refused)
    assert [(one.by, one.kind) for one in points] == [
        ("buyer", "claim"), ("merchant", "answered"), ("merchant", "offered"), ("buyer", "fact"),
    ]  # fmt: skip
    claim, answer, gift, fact = [one.key for one in points]
    bare = await ladder.rule(staff, case.ref, PART)
    assert isinstance(bare, Refused)
    assert set(bare.fields) == {f"take_{key}" for key in (claim, fact, answer, gift)} | {"articles"}
    # Where the merchant alone loses, his points have to be answered; nonsense is told at its place.
    odd = Grounds(
        answers=[
            Answer(point="e0", take=Take.ACCEPTED, why="没有这一点"),
            Answer(point=answer, take=Take.NOT_ACCEPTED, why="长" * 301),
        ],
        articles=["no_such_article"],
        laws=["no-such-law"],
    )
    wrong = await ladder.rule(staff, case.ref, replace(ALL, grounds=odd))
    assert isinstance(wrong, Refused)
    assert set(wrong.fields) == {"take_e0", f"why_{answer}", f"take_{gift}", "articles", "laws"}
    article = packaged_book().articles["delivery_late_law"]
    grounds = Grounds(
        answers=[
            Answer(point=gift, take=Take.NOT_DECISIVE, why="没有谈成的方案\n不算认账。"),
            Answer(point=f"o{replaced.offer_id}", take=Take.NOT_DECISIVE, why="换掉的方案。"),
            Answer(point=answer, take=Take.ACCEPTED, why="见 E1。"),
            Answer(point=claim, take=Take.NOT_ACCEPTED, why="只成立一半。"),
            Answer(point=fact, take=Take.NOT_DECISIVE, why="看不清。"),
        ],
        articles=["delivery_late_law"],
        laws=[LAW],
    )
    wish = replace(PART, grounds=grounds)
    preview = await archive.rulings.preview(staff, case.ref, wish)
    assert isinstance(preview, RulingSheet)
    seen(await ladder.rule(staff, case.ref, wish))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    sheet = shown(await archive.rulings.ruling(market.owner, case.ref)).sheet
    assert (sheet.points, sheet.basis) == (preview.points, preview.basis)
    told = [(one.by, one.take, one.why) for one in sheet.points if one.take]
    assert told == [
        ("buyer", "不采纳", "只成立一半。"),
        ("merchant", "采纳", "见 E1。"),
        ("merchant", "不影响结论", "换掉的方案。"),
        ("merchant", "不影响结论", "没有谈成的方案 不算认账。"),
        ("buyer", "不影响结论", "看不清。"),
    ]
    assert sheet.basis is not None
    assert sheet.rules is not None
    assert [one.number for one in sheet.basis.articles] == [article.number]
    assert sheet.basis.laws[0].name == "《消费者权益保护法》第五十五条"
    assert len(sheet.basis.laws) > 1, "the law behind the article stands beside"
    assert not sheet.basis.follows
    assert article.number not in [one.number for one in sheet.rules.articles]
    files = printed(await archive.rulings.files(market.buyer, case.ref))
    text = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(files.pdf.content)).pages)
    basis, suggestion = text.index("裁决的依据"), text.index("按规则推出的结果")
    assert basis < text.index(f"第{article.number}条") < suggestion
    for words in ("逐点回答", "不采纳：只成立一半。", "裁决没有照它", f"推出它的第{sheet.rules.articles[0].number}条"):
        assert words in text, words
    document = json.loads(files.document.content)
    assert document["basis"]["articles"][0]["id"] == "delivery_late_law"
    record = document["record"]
    assert record["grounds"]["answers"][0] == {"point": claim, "take": "not_accepted", "why": "只成立一半。"}
    await reads_as_before_without_grounds(archive, owner_database, case, record)


async def reads_as_before_without_grounds(
    archive: Archive, owner_database: Database, case: CaseView, record: dict[str, Any]
) -> None:
    # The log's record holds it, so the row cannot be changed unseen; a ruling from before it was kept reads as it did.
    await archive.sequence()
    assert (await archive.log.audit()).findings == []
    await owner_database.execute("UPDATE ruling SET grounds = NULL")
    assert len((await archive.log.audit()).findings) == 1
    earlier = printed(await archive.rulings.files(archive.desk.market.buyer, case.ref))
    before = json.loads(earlier.document.content)
    assert {"basis", "unanswered"}.isdisjoint(before)
    assert "grounds" not in before["record"]
    assert {key: text for key, text in record.items() if key != "grounds"} == before["record"]
    assert "take" not in before["points"][0]


async def test_a_ruling_that_the_bank_overtook_was_not_carried_out(archive: Archive) -> None:
    desk = archive.desk
    case = await desk.ruled(await argued(archive), ALL)
    before = shown(await archive.rulings.ruling(desk.market.buyer, case.ref))
    row = await desk.database.fetchrow(
        """SELECT t.outcome FROM escrow e, take_chargeback_v1(e.shop_id, e.order_id, e.provider, e.payment_id, 'SC1',
                  e.amount_minor, e.currency, $2) t WHERE e.order_id = $1""",
        case.order.order_id,
        desk.clock.at,
    )
    assert (row or {})["outcome"] == "charged_back"
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    found = shown(await archive.rulings.ruling(desk.market.buyer, case.ref))
    assert found.state is RulingState.CHARGED_BACK
    assert (found.sheet, found.record_sha256) == (before.sheet, before.record_sha256)


async def test_nobody_reads_a_ruling_before_it_is_known_nor_a_stranger_ever(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    case = await argued(archive)
    await desk.handed_in(case, ALL)
    for who in (market.buyer, market.owner, market.staff):
        assert code(await archive.rulings.ruling(who, case.ref)) is Refusal.NOT_FOUND
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    stranger = person(await open_account(desk.database, "路人"))
    assert code(await archive.rulings.ruling(stranger, case.ref)) is Refusal.NOT_FOUND
    assert code(await archive.rulings.files(stranger, case.ref)) is Refusal.NOT_FOUND
    assert code(await archive.rulings.ruling(market.buyer, case.ref, 2)) is Refusal.NOT_FOUND
    shown(await archive.rulings.ruling(market.buyer, case.ref, 1))


async def test_a_reviewer_reads_it_only_after_a_first_view(archive: Archive) -> None:
    """It tells what the rulebook suggested."""
    desk, market = archive.desk, archive.desk.market
    reviewer = await panellist(archive)
    case = await desk.ruled(await argued(archive), ALL)
    seen(await desk.ladder.ask_review(market.owner, case.ref, "E1 是假的。"))
    assert code(await archive.rulings.ruling(reviewer, case.ref)) is Refusal.FIRST_VIEW_NEEDED
    assert code(await archive.rulings.files(reviewer, case.ref)) is Refusal.FIRST_VIEW_NEEDED
    assert code(await archive.rulings.preview(reviewer, case.ref, PART)) is Refusal.FIRST_VIEW_NEEDED
    seen(await desk.ladder.first_view(reviewer, case.ref, FIRST_VIEW))
    shown(await archive.rulings.ruling(reviewer, case.ref))


async def test_who_judged_a_case_reads_its_ruling_while_it_waits_and_in_a_review_that_is_not_his(
    archive: Archive,
) -> None:
    """He has read what the rulebook suggested; who has not may be drawn for the review and reads it later."""
    desk, market = archive.desk, archive.desk.market
    reviewer, idle = await panellist(archive), await desk.staff(Role.SUPPORT, Role.PANEL)
    case = await desk.ruled(await argued(archive), ALL)
    assert seen(await desk.cases.case(idle, case.ref)).viewer is Side.SUPPORT
    for _ in range(2):
        shown(await archive.rulings.ruling(market.staff, case.ref))
        assert not isinstance(await archive.rulings.files(market.staff, case.ref), Refused)
        assert not isinstance(await archive.decisions.decision(market.staff, case.ref), Refused)
        assert code(await archive.rulings.preview(market.staff, case.ref, PART)) is Refusal.FIRST_VIEW_NEEDED
        for who in (idle, reviewer):
            assert not isinstance(await archive.rulings.ruling(who, case.ref), RulingShown)
        await desk.ladder.ask_review(market.owner, case.ref, "E1 是假的。")


@pytest.mark.parametrize(
    ("wish", "way", "word"), [(ALL, RulingState.UPHELD, "维持"), (PART, RulingState.CHANGED, "改变")]
)
async def test_a_review_stands_above_what_it_reviewed(
    archive: Archive, wish: Rule, way: RulingState, word: str
) -> None:
    desk, market = archive.desk, archive.desk.market
    reviewer = await panellist(archive)
    case = await desk.ruled(await argued(archive), ALL)
    seen(await desk.ladder.ask_review(market.owner, case.ref, "E1 是假的。"))
    assert await states(archive, case.ref) == [(1, RulingState.UNDER_REVIEW)]
    await reviewed(archive, case, wish, reviewer)
    assert await states(archive, case.ref) == [(2, RulingState.EXECUTED), (1, way)]
    sheet = shown(await archive.rulings.ruling(market.buyer, case.ref)).sheet
    assert (sheet.no, sheet.stage, sheet.review_until) == (2, RulingStage.REVIEW, None)
    assert sheet.reviews.startswith(word)
    assert "不再有下一次" in sheet.review
    assert [point.said for point in sheet.points if point.text == "申请复核："] == ["E1 是假的。"]
    first = shown(await archive.rulings.ruling(market.buyer, case.ref, 1)).sheet
    assert not [point for point in first.points if point.text == "申请复核："]


async def test_a_ruling_without_money_says_it_waits_and_who_pays(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    ref = desk.order_ref(await desk.bought())
    assert not isinstance(await desk.orders.confirm(market.buyer, ref), Refused)
    case = seen(await desk.cases.open(market.buyer, ref, WISH))
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    await desk.ruled(case, ALL)
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    found = shown(await archive.rulings.ruling(market.buyer, case.ref))
    assert (found.state, found.sheet.merchant_minor) == (RulingState.WAITING, None)
    assert "先垫" in found.sheet.payer
    assert [point.text for point in found.sheet.points if point.by == "merchant"] == ["没有作书面答复。"]
    pdf = printed(await archive.rulings.files(market.owner, case.ref)).pdf.content
    read = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)
    assert "退给买家" in read
    assert "付给商家" not in read


async def test_a_panel_s_dissent_is_told(archive: Archive) -> None:
    desk = archive.desk
    members = {member.account_id: member for member in [await panellist(archive) for _ in range(3)]}
    case = await argued(archive)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    rows = await desk.database.fetch("SELECT panellist_id FROM panel_seat ORDER BY seat_no")
    vote = CastVote(
        upholds=True,
        refund_minor=PRICE,
        shares=MERCHANTS,
        facts="事实。",
        reasons="成立。",
        differs_reason="另有原因。",
    )
    for row in rows:
        member = members[row["panellist_id"]]
        seen(await desk.ladder.first_view(member, case.ref, FIRST_VIEW))
        seen(await desk.ladder.vote(member, case.ref, vote))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    sheet = shown(await archive.rulings.ruling(desk.market.buyer, case.ref)).sheet
    assert (sheet.made_by, sheet.dissent, sheet.differs) == ("争议组", "", "另有原因。")


async def test_a_preview_is_what_both_parties_read_afterwards(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    case = await argued(archive)
    assert code(await archive.rulings.preview(market.buyer, case.ref, PART)) is Refusal.NOT_ALLOWED
    assert code(await archive.rulings.preview(market.staff, case.ref, PART)) is Refusal.FIRST_VIEW_NEEDED
    seen(await desk.ladder.first_view(market.staff, case.ref, FIRST_VIEW))
    stranger = person(await open_account(desk.database, "路人"))
    assert code(await archive.rulings.preview(stranger, case.ref, PART)) is Refusal.NOT_FOUND
    for wish in (ALL, replace(ALL, outcome=Outcome.NO_REFUND, shares=BUYERS), PART):
        whole = await desk.ladder.complete(market.staff, case.ref, wish)
        before = await archive.rulings.preview(market.staff, case.ref, whole)
        assert isinstance(before, RulingSheet)
    seen(await desk.ladder.rule(market.staff, case.ref, PART))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    after = shown(await archive.rulings.ruling(market.buyer, case.ref)).sheet
    assert after.decision_digest
    same = replace(
        before,
        made_at=after.made_at,
        review=after.review,
        review_until=after.review_until,
        decision_digest=after.decision_digest,
        case_file_digest=after.case_file_digest,
    )
    assert same == after


async def test_the_same_ruling_gives_the_same_bytes_to_everybody_at_any_time(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    case = await desk.ruled(await argued(archive), ALL, await desk.staff(Role.SUPPORT))
    first = printed(await archive.rulings.files(market.buyer, case.ref))
    seen(await desk.cases.say(market.buyer, case.ref, "谢谢。"))
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    await archive.sequence()
    assert printed(await archive.rulings.files(market.owner, case.ref)) == first
    assert first.pdf.name == f"kabao-{case.ref.lower()}-ruling-1.pdf"
    read = "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(first.pdf.content)).pages)
    for words in (
        "全额退款¥96.50",
        "E1显示拆封三分钟后提示已被使用。",
        "为什么和规则推出的结果不同",
        "我们进的是新货。",
        "双方都可以申请一次复核",
        "仲裁",
        "消费者权益保护法第39条、电子商务法第60条",
        sha256(first.document.content).hexdigest(),
        "".join(archive.signer.verifier_key.split()),
        SITE,
    ):
        assert words in read, words
    assert "成员" not in read


def checked_with_openssl(folder: Path, files: RulingFile, pem: bytes) -> bool:
    """Check a ruling as its page says, with stock tools alone."""
    for name, content in (
        ("r.pdf", files.pdf.content),
        ("r.json", files.document.content),
        ("r.sig", files.signature.content),
        ("signer.pem", pem),
    ):
        folder.joinpath(name).write_bytes(content)
    script = """set -e -o pipefail
        head -n 3 r.sig > signed
        tail -n 1 r.sig | sed 's/.* //' | base64 -d | tail -c 64 > signature
        openssl pkeyutl -verify -pubin -inkey signer.pem -rawin -in signed -sigfile signature
        test "$(sha256sum r.json r.pdf | cut -c -64)" = "$(sed 1d signed)"
    """
    return subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, check=False).returncode == 0


async def test_stock_tools_prove_a_ruling_unaltered_and_one_changed_character_fails(
    archive: Archive, tmp_path: Path
) -> None:
    case = await archive.desk.ruled(await argued(archive), ALL)
    files = printed(await archive.rulings.files(archive.desk.market.buyer, case.ref))
    pem = pem_of(archive.signer.verifier_key)
    assert pem == archive.signer.pem
    assert checked_with_openssl(tmp_path, files, pem)
    for part in ("pdf", "document", "signature"):
        file = getattr(files, part)
        content = bytearray(file.content)
        content[20] ^= 1
        assert not checked_with_openssl(tmp_path, replace(files, **{part: replace(file, content=bytes(content))}), pem)
    other = pem_of(archive.log.verifier_key)
    assert not checked_with_openssl(tmp_path, files, other)


async def test_the_public_log_s_record_holds_the_ruling_s_fingerprint(archive: Archive) -> None:
    market = archive.desk.market
    case = await archive.desk.ruled(await argued(archive), ALL)
    assert shown(await archive.rulings.ruling(market.buyer, case.ref)).record_id is None
    await archive.sequence()
    found = shown(await archive.rulings.ruling(market.buyer, case.ref))
    assert found.record_id is not None
    body = await archive.receipts.body(market.buyer, case.order.ref, found.record_id)
    proof = await archive.receipts.proof(market.buyer, case.order.ref, found.record_id)
    assert not isinstance(body, Refused)
    assert not isinstance(proof, Refused)
    document = json.loads(printed(await archive.rulings.files(market.buyer, case.ref)).document.content)
    logged = json.loads(body.content)["content"]["ruling"]
    assert logged["sha256"] == found.record_sha256 == document["record_sha256"]
    assert {name: logged[name] for name in document["record"]} == document["record"]
    plain = json.dumps(document["record"], sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert sha256(plain.encode()).hexdigest() == found.record_sha256
    salt = base64.b64decode(proof.content.split(b"\nextra ")[1].split(b"\n")[0])
    listed = await archive.receipts.receipts(market.buyer, case.order.ref)
    assert not isinstance(listed, Refused)
    [receipt] = [one for one in listed.receipts if one.record_id == found.record_id]
    assert sha256(salt + body.content).hexdigest() == receipt.commitment


async def test_a_pack_carries_the_same_pdf_and_staff_who_may_not_read_it_make_none(archive: Archive) -> None:
    desk, market = archive.desk, archive.desk.market
    case = await desk.ruled(await argued(archive), ALL)
    whole = printed(await archive.rulings.files(market.buyer, case.ref)).pdf.content

    async def packed(who: Person) -> bytes:
        return contents(made(await archive.packs.export(who, case.ref)).path)["ruling/ruling.pdf"]

    assert await packed(market.owner) == whole
    assert await packed(market.staff) == whole
    idle = await desk.staff(Role.SUPPORT)
    assert code(await archive.packs.export(idle, case.ref)) is Refusal.FIRST_VIEW_NEEDED
    assert code(await archive.packs.export(idle, case.order.ref)) is Refusal.FIRST_VIEW_NEEDED
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    assert await packed(idle) == whole
