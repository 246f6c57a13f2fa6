"""Which findings in a listing's words count in a case, as evidence of what, and what a person's word does to it."""

from datetime import timedelta
from typing import Any

import msgspec

from kabao.adjudication import Adjudicator, compile_book, make_case, plain
from kabao.adjudication.service import packaged_book
from kabao.cases.clauses.documents import frozen
from kabao.cases.clauses.model import Clause
from kabao.cases.clauses.rules import MOST, clauses_of, said_by_clauses, told_of
from kabao.cases.facts import CaseRecord, Said, case_file
from kabao.cases.model import Remedy
from kabao.terms import Document, check
from market import NOON
from orderviews import order


def clause(kind: str, clause_id: str, field: str, words: str) -> Clause:
    return Clause(kind=kind, id=clause_id, field=field, words=words, why="不行。", law=("民法典 497",), confidence=90)


VOID = clause("VOID", "K01", "description", "概不退换")
HURDLE = clause("HURDLE", "K09", "free_text", "没有录屏不退")
VAGUE = clause("VAGUE", "V-AMOUNT", "free_text", "酌情扣费")
CONFLICT = clause("CONFLICT", "C-DAYS", "title", "质保90天")
ALL = [VOID, HURDLE, VAGUE, CONFLICT]


def say(fact: str, by: str = "support", *, shows: bool = True) -> Said:
    return Said(fact=fact, shows=shows, kind="issuer_record", confidence=97, by=by, at=NOON)


def record(**more: Any) -> CaseRecord:
    values: dict[str, Any] = {"order": order(), "claim": "clause_unfair", "said": []}
    return CaseRecord(
        demand=Remedy.FULL_REFUND,
        opened_at=NOON,
        answered_at=None,
        case_ref="7-C",
        conflict_for=timedelta(hours=48),
        key_opened_before=False,
        had_before=False,
        **(values | more),
    )


def read(**snapshot: Any) -> list[Clause]:
    return clauses_of(check(frozen(snapshot), clause=True, waivers=False).findings)


def test_what_bears_on_refunds_counts_and_stands_at_its_words() -> None:
    found = read(
        description="卡密一经售出，概不退换。禁止差评。我们会尽快发货。",
        terms={"warranty_days": 30, "claim_days": None},
    )
    assert [(clause.id, clause.field, clause.words) for clause in found] == [
        ("K01", "description", "卡密一经售出，概不退换")
    ]
    assert read(title="质保90天", terms={"warranty_days": 30})[0].kind == "CONFLICT"
    assert read(title="质保90天") == []
    assert read() == []
    assert len(read(description="".join(f"第{number}件一经售出，概不退换。" for number in range(50)))) == MOST


def test_a_term_that_is_hardly_void_counts_for_nothing_and_the_shops_own_form_is_no_finding() -> None:
    [finding] = check([Document("一经售出，概不退换。")], clause=True).findings
    assert clauses_of([finding])
    assert clauses_of([msgspec.structs.replace(finding, confidence=0.79)]) == []
    assert clauses_of([msgspec.structs.replace(finding, document=5)]) == []


def test_each_claim_about_terms_hears_what_bears_on_it_and_other_claims_nothing() -> None:
    assert said_by_clauses("clause_unfair", ALL).keys() == {"clause_void", "hurdle_excessive"}
    assert said_by_clauses("excessive_hurdle", ALL).keys() == {"hurdle_excessive"}
    assert said_by_clauses("clause_vague", ALL).keys() == {"clause_ambiguous", "clause_contradicted"}
    assert said_by_clauses("already_used", ALL) == {}
    assert [one["words"] for one in told_of("clause_unfair", ALL)] == ["概不退换", "没有录屏不退"]
    assert "clauses" not in case_file(record(claim="already_used", clauses=ALL))


def test_a_void_clause_is_decided_as_if_absent_and_the_reasons_say_so_before_the_articles() -> None:
    judge = Adjudicator(compile_book(packaged_book()))
    said = [say("ground_shown"), say("notice_given")]

    def outcome(**more: Any) -> dict[str, Any]:
        return plain(judge.decide(make_case(case_file(record(**({"said": said} | more))), judge.book)))

    with_clause, without = outcome(clauses=[VOID]), outcome()
    assert (with_clause["outcome"], without["outcome"]) == ("FULL_REFUND", "DENY")
    told = [reason["zh"] for reason in with_clause["reasons"]]
    [place] = [
        place for place, text in enumerate(told) if text.startswith("「概不退换」依法应属无效，按没有这一条处理")
    ]
    assert "民法典 497" in told[place]
    assert told[place + 1].startswith("依《")
    # A person who read the clause otherwise has the last word, and nothing says that it falls.
    lawful = outcome(clauses=[VOID], said=[*said, say("clause_void", shows=False)])
    assert lawful["outcome"] == "DENY"
    assert not any("概不退换" in reason["zh"] for reason in lawful["reasons"])


def test_a_party_who_contradicts_the_checker_holds_a_case_up_no_longer_than_any_contradiction() -> None:
    against = [say("clause_void", "merchant", shows=False)]
    for hours, expired in ((24, False), (100, True)):
        later = msgspec.structs.replace(order(), now=NOON + timedelta(hours=hours))
        assert case_file(record(order=later, clauses=[VOID], said=against))["conflict_expired"] is expired
