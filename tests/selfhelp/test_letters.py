"""Letters: each as a file that a person reads, and what no letter may hold, leave out or come before."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pypdf import PdfReader

from helpletters import (
    BUNDLE,
    DEAD_KEY,
    EN,
    FOLDER,
    KEPT,
    MINOR,
    NO_REFUND,
    OWN_MISTAKE,
    RECLAIMED,
    SWINDLE,
    ZH,
    written,
)
from helpstories import NO, NOW, YES, asked_out, at, shown, told
from kabao.adjudication import Party
from kabao.cli.selfhelp import letter as letter_on_terminal
from kabao.selfhelp import (
    Amount,
    Answer,
    Business,
    Channel,
    Event,
    Goods,
    Happening,
    Kind,
    Letter,
    Moment,
    NoLetter,
    SentLetter,
    Side,
    Story,
    TermsKind,
    TermsText,
    To,
)
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.blanks import blanks_in
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.commands import next_command
from kabao.selfhelp.folder import load, make
from kabao.selfhelp.lettercommand import letter_command
from kabao.selfhelp.letters import letter
from kabao.selfhelp.phrases import phrases
from kabao.selfhelp.rules import CARRIES
from kabao.selfhelp.terms import findings_of
from kabao.terms.packed import packed

RULES = law_rules()
TWO_WORDS = TermsText(
    file="terms/2.txt", of=Side.MERCHANT, kind=TermsKind.NOTICE, text="售后期限为 24 小时。\n售后期限为 7 天。"
)


def made(story: Story, to: To = To.MERCHANT, language: Any = ZH) -> Letter:
    found = letter(story, assess(story, RULES, NOW), to, language, NOW)
    assert isinstance(found, Letter), found
    return found


def none(story: Story, to: To = To.MERCHANT) -> NoLetter:
    found = letter(story, assess(story, RULES, NOW), to, ZH, NOW)
    assert isinstance(found, NoLetter), found
    return found


@pytest.mark.parametrize("name", KEPT)
def test_a_letter_reads_as_its_file(name: str) -> None:
    assert written(name) == (FOLDER / f"{name}.txt").read_text("utf-8")


def test_what_nobody_checked_stands_after_the_signature_as_an_annex_in_every_letter() -> None:
    for name in KEPT:
        body = written(name).rstrip("\n")
        annex = body.rpartition("\n\n")[2]
        assert annex.startswith(("附：说明（没有核实的）", "Annex: not verified")), name
        assert body.removesuffix(f"\n\n{annex}").endswith(("2026年11月25日", "2026-11-25")), name


def test_every_clause_that_the_checker_may_find_is_told_in_english() -> None:
    found = findings_of(told("key_invalid", terms=(NO_REFUND, TWO_WORDS)))
    assert {one.title_en for one in found} >= {
        "no refund whatever happens", "two passages disagree about the time to complain",
    }  # fmt: skip
    data = packed()
    used = {one.id for one in (*data.entries, *data.vague, *data.topics)}
    assert set(phrases().clauses) == used
    assert "no refund whatever happens; Consumer" in made(DEAD_KEY, To.MERCHANT, EN).body


def test_only_what_a_letter_left_blank_counts_as_blank() -> None:
    assert blanks_in("【自动发货】点卡，【订单号】，【你的姓名】，【订单号】") == ("订单号", "你的姓名")
    assert "人民法院名称" in made(DEAD_KEY, To.COURT).blanks


def test_the_files_are_all_of_a_letter_that_is_kept() -> None:
    assert {one.stem for one in FOLDER.glob("*.txt")} == set(KEPT)


@pytest.mark.parametrize("to", list(To))
def test_every_letter_states_fact_demand_date_next_step_and_what_nobody_checked(to: To) -> None:
    found = made(DEAD_KEY, to)
    assert "2026111400017" in found.body
    asked = "退还货款 268.00 元" if to is To.COURT else "268.00 元退回原付款账户"
    assert (asked in found.body) is (to is not To.REPORT)
    assert (found.due is not None) is (to in {To.MERCHANT, To.PLATFORM, To.SUPPORT, To.PANEL, To.PAYMENT})
    if found.due:
        assert found.due.at > NOW + timedelta(hours=24)
        assert f"{found.due.at:%H:%M} 前" in found.body
    assert "证据的真实性没有经过第三方核验。" in found.body
    assert found.unverified
    assert found.notes
    assert all(cite.mark in {"V", "V2"} for cite in found.cites)
    assert "ABCD-1234" not in found.body
    assert "AB****GH" in found.body


def test_a_complaint_has_every_field_that_its_rules_ask_for_and_the_report_stands_apart() -> None:
    labels = [field.label.zh for field in made(DEAD_KEY, To.OFFICE).fields]
    assert labels == ["投诉人", "电话", "通讯地址", "被投诉人", "被投诉人地址"]
    body = made(DEAD_KEY, To.OFFICE).body
    for part in ("投诉请求", "争议事实", "生活消费", "我同意调解", "我对真实性负责"):
        assert part in body
    assert made(DEAD_KEY, To.OFFICE).blanks == ("你的姓名", "你的电话", "你的地址", "对方地址")
    report = made(DEAD_KEY, To.REPORT).body
    assert "分开提交" in report
    assert "退回原付款账户" not in report
    known = msgspec.structs.replace(
        DEAD_KEY, shop=Business(name="一家店", real_name="某公司", code="91310000MA1TEST00X", address="某市某路 1 号")
    )
    assert "91310000MA1TEST00X" in made(known, To.COURT).body
    assert "对方地址" not in made(known, To.COURT).blanks


def test_a_sum_below_the_price_says_how_it_comes_about_and_a_parent_writes_for_a_child() -> None:
    assert "价款 3500.00 元，我自己承担 15%，请求退还其余 2975.00 元。" in made(RECLAIMED).body
    assert "15 % falls to the plaintiff; 2975.00 is asked." in made(RECLAIMED, To.COURT, EN).body
    assert "价款 5500.00 元，只请求退还有问题的部分，600.00 元。" in made(BUNDLE, To.PLATFORM).body
    assert "only the part at fault" in made(BUNDLE, To.PLATFORM, EN).body
    assert "价款" not in made(DEAD_KEY).body
    assert "我的孩子于" in made(MINOR).body
    assert "生活消费" not in made(MINOR).body
    assert "the child of the plaintiff" in made(MINOR, To.COURT, EN).body


def test_a_report_names_the_conduct_and_fraud_is_named_in_the_title() -> None:
    assert "在条款里写“虚拟商品一经售出，概不退换”（《消费者权益保护法》" in made(DEAD_KEY, To.REPORT).body
    lied = told("key_invalid", "key_failed", "deceit", "merchant_unnamed")
    assert "明知商品有问题仍然出售" in made(lied, To.REPORT).body
    assert "没有公示经营者的真实名称" in made(lied, To.REPORT).body
    assert made(SWINDLE, To.PLATFORM).title.startswith("疑似诈骗")
    assert made(OWN_MISTAKE).title.startswith("协商退款")
    assert "诉讼费用由被告承担" in made(DEAD_KEY, To.COURT).body


def test_where_the_platform_answers_it_is_the_one_complained_of() -> None:
    story = told("delivery_changed", "mode_changed", "seller_is_platform", platform=Business(name="某平台自营"))
    assert assess(story, RULES, NOW).asks[0].of == (Party.PLATFORM,)
    assert "某平台自营" in made(story, To.OFFICE).fields[3].value


def test_secrets_are_blacked_out_however_they_are_written_and_order_numbers_stay() -> None:
    story = msgspec.structs.replace(
        DEAD_KEY, order_no="AAAA-1111-BBBB", secrets=("pass word9",), summary="口令是 PASSWORD9，订单 AAAA-1111-BBBB。"
    )
    body = made(story).body
    assert "PASSWORD9" not in body
    assert body.count("AAAA-1111-BBBB") == 2


def test_fraud_comes_before_letters_and_unlawful_goods_get_none() -> None:
    before = msgspec.structs.replace(SWINDLE, signs={"pay_to_unlock": YES})
    refused = none(before, To.PAYMENT)
    assert "先报警" in refused.why.zh
    assert refused.first
    assert not none(SWINDLE, To.MERCHANT).first
    assert "止付" in made(SWINDLE, To.PAYMENT).body
    calling = msgspec.structs.replace(SWINDLE, signs={**SWINDLE.signs, "police_called": NO})
    assert "I suspect fraud. Please" in made(calling, To.PLATFORM, EN).body
    assert "不许买卖" in none(told("not_delivered", goods=Goods.REAL_NAME)).why.zh
    assert "没答完" in none(told("")).why.zh
    assert "自己的责任" in none(OWN_MISTAKE, To.COURT).why.zh
    assert "没有这一方" in none(told("key_invalid", "key_failed", platform=Business(name="-")), To.PLATFORM).why.zh


def test_what_is_wanted_is_asked_for_where_it_stands_and_treble_damages_only_when_shown() -> None:
    fee = msgspec.structs.replace(OWN_MISTAKE, amounts={"published_fee_minor": 500})
    assert (
        "留下 5.00 元作为费用，把 95.00 元退回原付款账户；卡密我不再使用，交回或者作废都行。按商家公布的费用。"
        in made(fee).body
    )
    proof = (shown(Kind.ADMISSION, "deceit"), shown(Kind.RECORDING, "key_failed"))
    lied = told("key_invalid", "delivered", "key_failed", "deceit", evidence=proof)
    assert "100.00 元退回原付款账户，并赔偿 500.00 元" in made(lied).body
    assert "赔偿" not in made(told("key_invalid", "delivered", "key_failed")).body.split("请在")[1]
    assert "648.00 元" in made(MINOR).body
    open_law = told("changed_mind", "opened", "-used_up", "-exclusion_confirmed", "restriction_prominent")
    assert "100.00 元退回" in made(open_law).body
    waiting = SentLetter(to=To.MERCHANT, sent=at(25, 8), due=Moment(NOW + timedelta(hours=3)))
    assert "还没有答复" in made(msgspec.structs.replace(DEAD_KEY, letters=(waiting,)), To.PLATFORM).body
    alone = told("key_invalid", "key_failed", platform=Business(name="-"), order_no="1")
    assert "在店铺“一家店”购买" in made(alone).body
    assert "我会请消费者协会调解" in made(alone).body


@pytest.fixture
def place(tmp_path: Path) -> Path:
    source = tmp_path / "source"
    for one in (*DEAD_KEY.evidence, *DEAD_KEY.terms):
        (source / one.file).parent.mkdir(parents=True, exist_ok=True)
        (source / one.file).write_text("虚拟商品一经售出，概不退换。", "utf-8")
    make(tmp_path / "case", DEAD_KEY, source=source)
    return tmp_path / "case"


def run(place: Path, to: To = To.MERCHANT, **more: bool) -> dict[str, Any]:
    asked = {"pdf": False, "again": False, "sent": False} | more
    found: dict[str, Any] = json.loads(letter_command(place, to, NOW, as_json=True, **asked).text)
    return found


def test_a_letter_is_written_once_and_never_over_an_edited_one(place: Path) -> None:
    first = run(place)
    assert (first["file"], first["kept"], first["due"] is not None) == ("letters/merchant.txt", False, True)
    (place / first["file"]).write_text("我改过的信\n\n卡密 ABCD-1234-EFGH 请退款。\n", "utf-8")
    kept = run(place, pdf=True)
    assert (kept["kept"], kept["text"]) == (True, "我改过的信\n\n卡密 AB****GH 请退款。\n")
    printed = "".join(page.extract_text() for page in PdfReader(place / kept["pdf"]).pages)
    assert "我改过的信" in printed
    assert "1234" not in printed
    again = run(place, again=True)
    assert (again["file"], again["kept"]) == ("letters/merchant-2.txt", False)
    assert run(place)["file"] == "letters/merchant-2.txt"
    assert "我改过的信" in (place / "letters/merchant.txt").read_text("utf-8")


def test_a_letter_that_is_a_link_is_neither_read_nor_written_through(place: Path, tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("机密", "utf-8")
    (place / "letters" / "court.txt").symlink_to(tmp_path / "other.txt")
    assert run(place, To.COURT)["error"] == "unreadable"
    (place / "letters" / "court.txt").unlink()
    (place / "letters").rename(tmp_path / "elsewhere")
    (place / "letters").symlink_to(tmp_path / "elsewhere")
    assert run(place, To.COURT)["error"] == "unreadable"
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_was_sent_is_noted_and_its_answer_leads_to_the_next(place: Path) -> None:
    blank = run(place, To.SUPPORT, sent=True)
    assert (blank["error"], "【你的姓名】【你的电话】" in blank["text"]["zh"]) == ("blanks_left", True)
    assert load(place).letters[-1].to is To.PLATFORM
    assert run(place, To.SUPPORT, sent=True, blank=True)["blanks"] == ["你的姓名", "你的电话"]
    noted = load(place).letters[-1]
    assert (noted.to, noted.file, noted.due is not None) == (To.SUPPORT, "letters/support.txt", True)
    answers = ("letters.3.answered=2026-11-25 11:59", "letters.3.answer=不退", "letters.3.sent=2026-11-25 11:00")
    found = json.loads(next_command(place, answers, NOW, as_json=True).text)
    assert found["next_letter"] == "panel"


def test_a_letter_that_cannot_be_is_refused_in_words(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "letters" / "court.txt").write_bytes(b"\xff\xfe\xff")
    assert run(place, To.COURT)["error"] == "cannot_read"
    assert letter_on_terminal(place, to="merchant") == 0
    assert "还要自己填：你的姓名、你的电话" in capsys.readouterr().out
    assert letter_on_terminal(place, to="merchant") == 0
    assert "没有动它" in capsys.readouterr().out
    (place / "case.yaml").write_text("case_id: x\ncreated_at: 2026-11-25\nsigns:\n  codes_asked: yes\n", "utf-8")
    assert letter_on_terminal(place, to="12315") == 1
    assert "110" in capsys.readouterr().out
    assert run(place)["error"] == "no_letter"
    (place / "case.yaml").write_text("[", "utf-8")
    assert run(place)["error"] == "unreadable"
    assert run(place / "none")["error"] == "no_case"


@pytest.mark.parametrize("to", [To.MERCHANT, To.OFFICE, To.COURT])
def test_what_came_back_is_taken_off_every_sum_and_was_done_by_the_other_side(to: To) -> None:
    came = Event(at=at(15), kind=Happening.REFUNDED, by=Side.ME, amount=Amount(100_00))
    refused = Event(at=at(16), kind=Happening.REFUSED, by=Side.ME, text="售出不退")
    found = made(msgspec.structs.replace(DEAD_KEY, events=(came, refused)), to)
    assert "价款 268.00 元，应退 268.00 元，已退 100.00 元，还应退 168.00 元" in found.body
    whole = found.body.replace("价款 268.00 元，应退 268.00 元", "")
    assert "168.00 元" in whole
    assert "退还货款 268.00" not in whole
    for one in ("我退款", "我拒绝", "原告退款", "原告拒绝", "，投诉人拒绝"):
        assert one not in found.body


def test_what_came_back_and_what_falls_to_oneself_are_reckoned_in_one_line() -> None:
    shared = asked_out(told("not_as_described", "delivered", "mismatch", "warning_ignored", yuan=200))
    found = assess(shared, RULES, NOW)
    assert found.as_told is not None
    share, due = found.as_told.shares.buyer, found.as_told.refund_minor
    assert 0 < share < 100
    came = Event(at=at(15), kind=Happening.REFUNDED, by=Side.MERCHANT, amount=Amount(10_00))
    body = made(msgspec.structs.replace(shared, events=(came,)), To.COURT).body
    assert f"自己承担 {share}%，应退 {due / 100:.2f} 元，已退 10.00 元，还应退 {(due - 1000) / 100:.2f} 元" in body


def test_nothing_is_asked_for_once_everything_came_back() -> None:
    came = Event(at=at(15), kind=Happening.REFUNDED, by=Side.MERCHANT, amount=Amount(268_00))
    found = assess(msgspec.structs.replace(DEAD_KEY, events=(came,)), RULES, NOW)
    assert found.letters == ()
    assert any("已经退回来了" in one.zh for one in found.plainly)
    assert not any(ask.what == "refund" for ask in found.asks)


@pytest.mark.parametrize(("called", "says"), [(YES, True), (NO, False), (Answer.UNKNOWN, False)])
def test_a_letter_speaks_of_the_police_only_where_the_person_went_there(called: Answer, *, says: bool) -> None:
    story = msgspec.structs.replace(SWINDLE, signs={**SWINDLE.signs, "police_called": called})
    body = made(story, To.PAYMENT).body
    assert "我怀疑这是诈骗" in body
    assert ("报警" in body) is says


def test_every_fact_that_a_demand_can_rest_on_at_the_buyers_word_has_a_sentence() -> None:
    in_words = {one.fact for one in phrases().facts} | set(CARRIES.values())
    carried = {
        name for name, fact in RULES.book.facts.items() if fact.favours is Party.BUYER and fact.set_by == "party"
    }
    # What these say is a judgement, which the articles and the clauses say by themselves.
    assert carried - in_words == {
        "defect_shown", "exit_clause_unfair", "ground_shown", "minor_service_unlawful", "refund_otherwise_owed",
    }  # fmt: skip


def test_what_makes_the_buyers_slip_anothers_fault_is_told() -> None:
    body = made(asked_out(told("own_mistake", "delivered", "page_misled"))).body
    assert "让我误解" in body


def test_who_is_complained_of_is_named_as_far_as_it_is_known() -> None:
    assert "被投诉人：店铺“一家店”，真实名称不详\n" in made(DEAD_KEY, To.OFFICE).body
    named = msgspec.structs.replace(DEAD_KEY, shop=Business(name="一家店", real_name="某科技有限公司"))
    assert "被投诉人：某科技有限公司（店铺“一家店”）\n" in made(named, To.OFFICE).body
    same = msgspec.structs.replace(DEAD_KEY, shop=Business(name="某科技有限公司", real_name="某科技有限公司"))
    assert "被投诉人：某科技有限公司\n" in made(same, To.OFFICE).body


@pytest.mark.parametrize(
    ("goods", "zh"),
    [(Goods.TOP_UP, "充值能撤回的请撤回"), (Goods.KEY, "卡密我不再使用"), (Goods.ACCOUNT, "账号我不再登录")],
)
def test_an_offer_gives_back_what_can_be_given_back(goods: Goods, zh: str) -> None:
    story = msgspec.structs.replace(OWN_MISTAKE, goods=goods)
    assert zh in made(story).body
    offer = assess(story, RULES, NOW).offer
    assert offer is not None
    assert zh in offer.text.zh
    shared = assess(RECLAIMED, RULES, NOW).offer
    assert shared is not None
    assert "交回" not in shared.text.zh


@pytest.mark.parametrize(("channel", "whom"), [(Channel.BANK, "开户银行："), (Channel.OTHER, "支付机构：")])
def test_a_letter_about_a_payment_goes_to_an_institution(channel: Channel, whom: str) -> None:
    paid = msgspec.structs.replace(DEAD_KEY.payment, channel=channel)
    assert made(msgspec.structs.replace(DEAD_KEY, payment=paid), To.PAYMENT).body.startswith(whom)


def test_what_nobody_named_did_is_the_other_sides_and_no_merchants() -> None:
    refused = Event(at=at(15), kind=Happening.REFUSED, text="不退")
    assert "对方拒绝，说：不退" in made(msgspec.structs.replace(DEAD_KEY, events=(refused,)), To.PLATFORM).body
