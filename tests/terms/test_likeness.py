"""The second reading: clauses that the grammar does not know are told as likely, and never decided by."""

import msgspec
import numpy as np
import pytest

from helpstories import told
from kabao.selfhelp import Side, TermsKind, TermsText
from kabao.selfhelp.terms import findings_of
from kabao.shops import ListingDraft, Terms
from kabao.terms.check import Document, check, read_document
from kabao.terms.commands import label_of
from kabao.terms.likeness import CONFIDENCE, LIKELY, UNLIKE, UNTOLD, Likeness, counted
from kabao.terms.model import SURE, FindingClass, Fine, Report
from kabao.terms.rereading import LONGEST, UNLIKE_REASON, reread
from kabao.wiring.listingterms import faults_in

NEW = "凡在本站点击过支付键的人，皆被看作早已读懂并认下全部章程，日后不许再提半个不字"
"""A void clause in words that the grammar does not know; were it to know them, another one is needed here."""
PLAIN = "付款后十分钟内自动发货，没有收到的请联系客服，客服每天九点到二十二点在线。"


def one(text: str, *, wrapped: bool = False) -> Report:
    return check([Document(text, wrapped=wrapped)], clause=True, waivers=False)


def like(text: str) -> float:
    return Likeness(text).of(0, len(text))


def test_words_the_grammar_does_not_know_are_told_as_likely_and_decide_nothing() -> None:
    assert CONFIDENCE < SURE
    report = one(NEW + "。\n" + PLAIN)
    [finding] = report.findings
    assert (finding.kind, finding.confidence, finding.severity) == ("VOID", CONFIDENCE, "medium")
    assert finding.words == NEW
    assert finding.why.startswith("没有逐字对上")
    assert finding.law
    assert finding.rewrite
    assert label_of(finding.kind, is_sure=finding.is_sure) == "像无效条款"


def test_no_letter_and_no_listing_rests_on_a_likeness() -> None:
    pasted = TermsText(file="terms/1.txt", of=Side.MERCHANT, kind=TermsKind.NOTICE, text=NEW + "。\n概不退款。")
    assert [each.words for each in findings_of(told("changed_mind", terms=(pasted,)))] == ["概不退款"]
    draft = ListingDraft(title="点卡", description=NEW + "。", category="game_card", price_minor=100, terms=Terms())
    [fault] = faults_in(draft)
    assert not fault.blocks
    assert "依法应属无效" not in fault.sentence


def test_likeness_is_of_words_and_not_of_spaces_figures_or_width() -> None:
    assert like(NEW) >= LIKELY
    assert like(PLAIN) < UNLIKE
    assert like("满3天退") == like("满 8 天退")
    assert like("概不") == UNTOLD
    assert like(PLAIN + NEW) != like(NEW)
    both = Likeness(PLAIN + NEW)
    assert both.of(len(PLAIN), len(PLAIN + NEW)) == pytest.approx(like(NEW))
    assert counted([np.zeros(0, dtype=np.int64)], 4).sum() == 0


def test_a_question_a_heading_and_another_language_are_not_judged_by_likeness() -> None:
    assert one(NEW + "？").findings == ()
    assert one("皆被看作早已认下").findings == ()
    assert (
        one("Key already activated: the game key has been revealed, activated, or redeemed on any page.").findings == ()
    )


def test_of_a_long_paragraph_each_sentence_is_read_by_itself() -> None:
    long = PLAIN * (LONGEST // len(PLAIN) + 1)
    [finding] = one(long + NEW + "。" + long).findings
    assert finding.words == NEW
    assert one(long).findings == ()


def test_a_finding_of_the_grammar_in_words_that_read_like_nothing_void_is_left_alone_and_told_why() -> None:
    [void] = one("概不退款").findings
    reading = read_document(Document(PLAIN + "\n\n概不退款"))
    wrong = msgspec.structs.replace(void, start=0, end=len(PLAIN) - 1)
    right = msgspec.structs.replace(void, start=len(PLAIN) + 2, end=len(PLAIN) + 6)
    left, kept = reread(reading, [right, wrong])
    assert isinstance(left, Fine)
    assert (left.id, left.reason) == ("K01", UNLIKE_REASON)
    assert kept is right
    vague = msgspec.structs.replace(wrong, kind=FindingClass.VAGUE)
    assert reread(reading, [vague]) == [vague]
