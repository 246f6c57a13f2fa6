"""The commands: what they print and their exit codes; golden cases, versions compared, past cases replayed."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from kabao.adjudication import commands
from kabao.adjudication.batch import BatchDecider, CaseBatch, batch_of
from kabao.adjudication.bench import bench_decide, random_batch
from kabao.adjudication.compiler import compile_book
from kabao.adjudication.diff import diff
from kabao.adjudication.golden import Runner, load_folder, load_golden, run_golden
from kabao.adjudication.loader import load_book
from kabao.adjudication.model import Outcome, Unreadable
from kabao.adjudication.mutate import mutants
from kabao.adjudication.replay import as_csv, as_svg, changed, replay
from rulebooks import SAMPLE, SAMPLE_PATH, book, case, compiled, edited

CASE = "claim: key_invalid\nfacts: {delivered: proved, key_failed: proved}\namounts: {price_minor: 9650}\n"
GENEROUS = (
    '      price: {outcome: DENY}\n      responsible: {buyer: 100}\n    cites: ["民法典 509"]',
    '      price: {outcome: FULL_REFUND}\n      responsible: {merchant: 100}\n    cites: ["民法典 509"]',
)  # fmt: skip

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put


def test_check_says_clean_finds_and_refuses(write: Write) -> None:
    clean = commands.check_command(SAMPLE_PATH)
    assert clean == ("sample.yaml: clean (11 articles, 10 facts, 3 claims)", 0)
    gap = write("gap.yaml", edited("    when: [revealed, no restriction_shown]", "    when: [revealed, bad_key]"))
    found = commands.check_command(gap, as_json=True)
    assert found.code == 1
    kinds = [one["kind"] for one in json.loads(found.text)["findings"]]
    assert "gap" in kinds
    assert "gap: no article decides price" in commands.check_command(gap).text
    broken = write("broken.yaml", edited("    number: 4", "    number: four"))
    refused = commands.check_command(broken)
    assert refused.code == 2
    line = SAMPLE[: SAMPLE.index("number: 4")].count("\n") + 1
    assert refused.text.startswith(f"broken.yaml:{line}:13: ")
    assert json.loads(commands.check_command(broken, as_json=True).text)["errors"][0]["line"] == line


def test_check_counts_an_override_cycle_as_a_finding_and_a_note_as_none(write: Write) -> None:
    cycle = edited("    overrides: [bad_on_delivery.price]", "    overrides: [bad_on_delivery.price, platform_answers]")
    found = commands.check_command(write("cycle.yaml", cycle), as_json=True)
    assert (found.code, json.loads(found.text)["findings"][0]["kind"]) == (1, "override_cycle")
    note = edited("overrides: [bad_on_delivery.price]", "overrides: [bad_on_delivery.price, not_delivered.price]")
    said = commands.check_command(write("note.yaml", note))
    assert said.code == 0
    assert "note:" in said.text


def test_decide_prints_the_promised_object(write: Write) -> None:
    path = write("case.yaml", CASE)
    said = commands.decide_command(SAMPLE_PATH, path, as_json=True)
    found = json.loads(said.text)
    assert said.code == 0
    assert {
        "responsible", "outcome", "refund_minor", "refund_share", "damages_minor", "payer", "articles", "defeated",
        "cites", "reasons", "missing", "share_range",
    } <= found.keys()  # fmt: skip
    assert found["responsible"] == {"buyer": 0, "merchant": 100, "platform": 0}
    text = commands.decide_command(SAMPLE_PATH, path).text
    assert text.startswith("FULL_REFUND · 全额退款 · a full refund")
    assert "《消费者权益保护法》第二十三条第一款" in text
    assert "would change the decision" in text
    assert commands.decide_command(SAMPLE_PATH, write("bad.yaml", CASE.replace("delivered", "delifered"))).code == 2


def test_the_law_alone_leaves_the_platform_s_articles_out(write: Write) -> None:
    good = write("good.yaml", CASE.replace("key_failed: proved", "key_failed: disproved"))
    both = json.loads(commands.decide_command(SAMPLE_PATH, good, as_json=True).text)
    alone = json.loads(commands.decide_command(SAMPLE_PATH, good, as_json=True, book="law").text)
    assert (both["outcome"], alone["outcome"], alone["undecided"]) == ("DENY", "NEEDS_PERSON", "gap")


def test_a_conflict_and_what_yields_are_told(write: Write) -> None:
    twice = CASE.replace("key_failed: proved", "sold_before: proved, key_failed: proved")
    assert (
        "article 3 (bad_on_delivery) to sold_twice" in commands.decide_command(SAMPLE_PATH, write("t.yaml", twice)).text
    )
    both = CASE.replace("delivered: proved", "delivered: disproved, revealed: proved")
    text = commands.decide_command(SAMPLE_PATH, write("c.yaml", both)).text
    assert "证据互相矛盾" in text
    assert "needed" in text


def test_explain_takes_an_id_or_a_number() -> None:
    by_id, by_number = commands.explain_command(SAMPLE_PATH, "sold_twice"), commands.explain_command(SAMPLE_PATH, "4")
    assert by_id == by_number
    assert "第 4 条 一卡多卖" in by_id.text
    assert "beats on price: bad_on_delivery" in by_id.text
    missing = commands.explain_command(SAMPLE_PATH, "sold_twise")
    assert (missing.code, "sold_twice" in missing.text) == (2, True)
    assert json.loads(commands.explain_command(SAMPLE_PATH, "4", as_json=True).text)["unless"] == ["buyer_used_key"]


def test_facts_lets_a_stranger_encode_a_case() -> None:
    card = json.loads(commands.facts_command(SAMPLE_PATH, as_json=True).text)
    fact = card["facts"]["key_failed"]
    assert fact["burden"] == "buyer"
    assert (fact["standard"], fact["percent"], fact["if_unknown"]) == ("balance", 51, "disproved")
    assert fact["meaning"]["zh"].startswith("买家在发行方页面")
    assert fact["claims"] == ["already_used", "key_invalid"]
    assert card["claims"]["key_invalid"]["family"] == "key"
    assert "key_failed" in commands.facts_command(SAMPLE_PATH).text


def test_show_prints_every_article_under_its_chapter() -> None:
    text = commands.show_command(SAMPLE_PATH).text
    assert text.index("不予裁决") < text.index("第 1 条") < text.index("买家原因") < text.index("第 9 条")
    card = json.loads(commands.show_command(SAMPLE_PATH, as_json=True).text)
    assert [one["number"] for one in card["articles"]] == list(range(1, 12))


def test_diff_shows_cases_not_lines(write: Write) -> None:
    other = write("new.yaml", edited(*GENEROUS))
    said = commands.diff_command(SAMPLE_PATH, other)
    assert said.code == 1
    assert "price: DENY → FULL_REFUND" in said.text
    assert "key_failed: disproved" in said.text
    found = json.loads(commands.diff_command(SAMPLE_PATH, other, as_json=True).text)
    assert found["rules"] == ["key_was_good"]
    assert {one["issue"] for one in found["changes"]} == {"price", "responsible"}
    assert commands.diff_command(SAMPLE_PATH, SAMPLE_PATH) == ("no difference", 0)


def test_z3_and_trying_everything_tell_the_same_differences() -> None:
    for index, mutant in enumerate(mutants(book())):
        if mutant.book is not None and index % 6 == 0:
            tried, solved = diff(book(), mutant.book), diff(book(), mutant.book, exhaustive_bits=0)
            seen = [
                {(claim, one.issue, one.before, one.after) for one in each.changes for claim in one.claims}
                for each in (tried, solved)
            ]
            assert seen[0] == seen[1], mutant.edit


def test_diff_tells_new_facts_weights_words_and_articles() -> None:
    text = SAMPLE.replace(
        "  identity_unknown:\n",
        "  fresh:\n    zh: 新\n    en: new\n    favours: buyer\n    burden: buyer\n"
        "    standard: high\n  identity_unknown:\n",
    )
    text = text.replace("    standard: balance", "    standard: high").replace("percent: 95", "percent: 90")
    text = text.replace("  - [no revealed, buyer_used_key]\n", "").replace("zh: 一卡多卖", "zh: 重复出售")
    text = text.replace("id: opened_warned", "id: opened_after_warning")
    text = text.replace("  changed_mind: {", "  other_mind: {").replace("[changed_mind]", "[other_mind]")
    found = diff(book(), load_book(text))
    assert set(found.added) == {"opened_after_warning"}
    assert set(found.removed) == {"opened_warned"}
    assert found.reworded == ("sold_twice",)
    assert "fresh: new" in found.facts
    assert "standard beyond_doubt: 95 → 90" in found.facts
    assert "the impossible pairs differ" in found.facts
    assert any(one.startswith("key_failed: burden buyer → buyer, standard balance → high") for one in found.facts)


def test_replay_tells_the_cases_that_move_and_the_money(write: Write, tmp_path: Path) -> None:
    write("cases/a.yaml", CASE.replace("key_failed: proved", "key_failed: disproved") + "merchant: =shop\n")
    write("cases/b.json", json.dumps({"id": "B", "claim": "changed_mind", "facts": {}, "amounts": {"price_minor": 5}}))
    write("cases/readme.txt", "no case")
    other = write("new.yaml", edited(*GENEROUS))
    seen: list[tuple[int, int]] = []
    said = commands.replay_command(
        SAMPLE_PATH, other, tmp_path / "cases", csv_path=tmp_path / "out.csv", picture=tmp_path / "out.svg",
        progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert said.code == 1
    assert "2 cases, 1 would end otherwise" in said.text
    assert "claim key_invalid: 1 cases, +¥96.50 to buyers" in said.text
    assert seen[-1] == (2, 2)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert rows[0]["case"] == "a"
    assert (rows[0]["merchant"], rows[0]["before"], rows[0]["moved_minor"]) == ("'=shop", "DENY", "9650")
    assert (tmp_path / "out.svg").read_text().startswith("<svg")
    found = json.loads(commands.replay_command(SAMPLE_PATH, other, tmp_path / "cases", as_json=True).text)
    assert found["by_claim"] == {"key_invalid": {"cases": 1, "moved_minor": 9650}}
    assert commands.replay_command(SAMPLE_PATH, SAMPLE_PATH, tmp_path / "cases").code == 0
    write("cases/c.yaml", "claim: none\n")
    refused = commands.replay_command(SAMPLE_PATH, other, tmp_path / "cases")
    assert (refused.code, "c.yaml" in refused.text) == (2, True)


def test_a_claim_the_new_version_lost_goes_to_a_person() -> None:
    text = SAMPLE.replace("  changed_mind: {", "  other_mind: {").replace("[changed_mind]", "[other_mind]")
    found = replay(compiled(), compile_book(load_book(text)), [case("changed_mind", {"revealed": False})])
    assert [(one.before, one.after) for one in found.moved] == [(Outcome.FULL_REFUND, Outcome.NEEDS_PERSON)]
    assert as_csv(found).count("\n") == 2
    assert "changed_mind" in as_svg(found)
    assert found.totals("merchant") == {"": (1, -9957)}


def test_prepared_batches_count_what_changes() -> None:
    old, new = compiled().plans["key_invalid"], compile_book(load_book(edited(*GENEROUS))).plans["key_invalid"]
    batch = random_batch(old, 300_000)
    one, two = BatchDecider(old), BatchDecider(new)
    pairs = list(changed(one, two, [batch]))
    assert pairs
    for before, after, count in pairs:
        assert one.verdict(before).price.outcome is Outcome.DENY
        assert two.verdict(after).price.outcome is Outcome.FULL_REFUND
        assert 0 < count < 300_000
    whole = one.decide(batch)
    part = one.decide(
        CaseBatch(batch.claim, 64, *({n: p[:1] for n, p in s.items()} for s in (batch.proved, batch.disproved)))
    )
    assert whole[:64].tolist() == part.tolist()


def test_contested_facts_are_conflicts_in_a_batch_too() -> None:
    decider = BatchDecider(compiled().plans["key_invalid"])
    numbers = decider.decide(batch_of("key_invalid", [({"delivered": True}, ("key_failed",)), ({}, ())])).tolist()
    assert [decider.verdict(number).price.outcome for number in numbers] == [Outcome.CONFLICT, Outcome.FULL_REFUND]


@pytest.mark.parametrize("bits", [0, 3])
def test_without_tables_every_answer_is_the_same(bits: int) -> None:
    slow = compile_book(book(), table_bits=bits)
    for claim, plan in compiled().plans.items():
        batch = random_batch(plan, 500)
        known = [
            {
                name: bool(side[name][index // 64] >> index % 64 & 1)
                for name in plan.facts
                for side in [batch.proved]
                if (batch.proved[name] | batch.disproved[name])[index // 64] >> index % 64 & 1
            }
            for index in range(500)
        ]
        for row in known:
            assert slow.plans[claim].bare(row) == plan.bare(row)


GOLDEN = """
cases:
  - id: G1
    title: 激活失败
    story: 买家激活失败。
    court: {responsible: {merchant: 100}, outcome: FULL_REFUND, share: 1.0}
    difference: 无
    case:
      claim: key_invalid
      facts: {delivered: proved, key_failed: proved}
      amounts: {price_minor: 9650}
    expect:
      outcome: FULL_REFUND
      responsible: {merchant: 100}
      refund_minor: 9650
      refund_percent: 100
      damages_minor: 0
      buyer_pays_minor: 0
      payer: platform
      remedy: refund
      articles: [bad_on_delivery]
      missing: [sold_before]
      law_book: {outcome: FULL_REFUND, responsible: {merchant: 100}}
"""


def test_golden_cases_pass_or_say_what_differs(write: Write, tmp_path: Path) -> None:
    path = write("golden/a.yaml", GOLDEN)
    golden = load_golden(path, book())
    assert run_golden(compiled(), golden[0]) == []
    said = commands.golden_command(SAMPLE_PATH, tmp_path / "golden")
    assert said == ("1 golden cases, 0 problems", 0)
    wrong = GOLDEN.replace("      outcome: FULL_REFUND\n", "      outcome: DENY\n").replace(
        "[bad_on_delivery]", "[sold_twice]"
    )
    wrong = wrong.replace("refund_percent: 100", "refund_percent: 50").replace("[sold_before]", "[delivered]")
    wrong = wrong.replace(
        "law_book: {outcome: FULL_REFUND, responsible: {merchant: 100}}", "law_book: {outcome: DENY, responsible: none}"
    )
    write("golden/a.yaml", wrong)
    told = commands.golden_command(SAMPLE_PATH, tmp_path / "golden", as_json=True)
    assert told.code == 1
    problems = "\n".join(json.loads(told.text)["problems"])
    for word in ("outcome is FULL_REFUND, expected DENY", "sold_twice did not win", "expected 50 %", "law alone"):
        assert word in problems


def test_golden_files_are_refused_with_lines(write: Write, tmp_path: Path) -> None:
    path = write("golden/a.yaml", GOLDEN.replace("outcome: FULL_REFUND\n      resp", "outcome: FULL\n      resp"))
    with pytest.raises(Unreadable, match=r"a.yaml:\d+"):
        load_golden(path, book())
    with pytest.raises(Unreadable):
        load_golden(write("golden/x.yaml", "cases: []"), book())
    with pytest.raises(Unreadable, match="sum to 90"):
        load_golden(
            write("golden/y.yaml", GOLDEN.replace("responsible: {merchant: 100}\n", "responsible: {merchant: 90}\n")),
            book(),
        )
    for name in ("a", "x", "y"):
        (tmp_path / "golden" / f"{name}.yaml").unlink()
    write("golden/a.yaml", GOLDEN)
    write("golden/b.yaml", GOLDEN)
    with pytest.raises(Unreadable, match="stands twice"):
        load_folder(tmp_path / "golden", book())


def test_bench_compares_with_the_naive_interpreter_in_the_same_run() -> None:
    said: list[str] = []
    found = bench_decide(SAMPLE.encode(), replayed=200_000, singles=300, slow=100, progress=said.append)
    assert found["ratio_to_naive"]["bare"] > 8
    assert found["ratio_to_naive"]["replay"] > 300
    assert found["passed"]
    assert said[0] == "load and compile"


def test_a_golden_case_catches_what_the_check_cannot(write: Write) -> None:
    golden = load_golden(write("golden/a.yaml", GOLDEN), book())
    swapped = next(
        one for one in mutants(book()) if one.edit == "bad_on_delivery: responsible: swap buyer and merchant"
    )
    assert swapped.book is not None
    assert Runner(compile_book(swapped.book)).run(golden[0])


def test_the_bench_command_prints_rates(write: Write) -> None:
    assert commands.bench_command(write("book.yaml", "a: [")).code == 2


@pytest.mark.skipif(not (commands.files("kabao.adjudication") / commands.SHIPPED).is_file(), reason="no shipped book")
def test_the_shipped_book_is_the_default() -> None:
    assert commands.shipped_book().articles
    assert commands.facts_command(None).code == 0
