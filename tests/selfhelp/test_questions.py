from helpstories import NO, NOW, YES, asked_out, told
from kabao.cases import MERCHANT_CLAIMS
from kabao.selfhelp import Answer, Goods, Language, Letter, QuestionKind, Story, To
from kabao.selfhelp.answering import answered
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules, names
from kabao.selfhelp.letters import letter
from kabao.selfhelp.questions import NOT_CLAIMED, question_for, questions
from kabao.selfhelp.storyfile import read_story, write_story

RULES = law_rules()


def fields(story: Story) -> list[str]:
    return [one.field for one in questions(story, RULES, NOW)]


def test_signs_of_fraud_are_the_first_thing_asked_and_the_basics_follow() -> None:
    new = Story(case_id="t", created_at=NOW)
    assert fields(new) == ["signs"]
    assert questions(new, RULES, NOW)[0].choices[-1].value == "none"
    told_none = Story(case_id="t", created_at=NOW, signs={"vanished": NO})
    assert fields(told_none) == ["goods", "shop.name", "platform.name", "title", "payment.at", "payment.amount",
                                 "payment.channel", "claim"]  # fmt: skip
    claims = {choice.value for choice in question_for("claim", told_none, RULES).choices}
    assert "key_invalid" in claims
    assert not NOT_CLAIMED & set(claims)
    assert set(MERCHANT_CLAIMS) == NOT_CLAIMED


def test_on_the_way_of_fraud_the_first_steps_are_asked_before_anything_else() -> None:
    story = Story(case_id="t", created_at=NOW, signs={"codes_asked": YES})
    assert fields(story) == ["signs.police_called", "signs.payment_stopped"]


def test_a_fact_is_asked_only_while_it_would_turn_the_result() -> None:
    assert fields(told("key_invalid")) == ["answers.key_failed"]
    asked: list[str] = []
    answers: dict[str, Answer] = {}
    while now := questions(told("not_delivered", answers=answers), RULES, NOW):
        assert len(now) == 1
        assert now[0].why.zh
        asked.append(now[0].field)
        answers = {**answers, now[0].field.removeprefix("answers."): YES if now[0].field == "answers.late" else NO}
    assert asked[0] == "answers.late"
    assert 1 < len(asked) <= 10
    assert not fields(told("not_delivered", goods=Goods.CHEAT))


def test_a_figure_is_asked_where_the_sum_needs_it() -> None:
    one = questions(told("bundle_item_failed", "mismatch", "one_item_affected"), RULES, NOW)[0]
    assert (one.field.partition(".")[0], bool(one.text.zh)) == ("amounts", True)
    assert question_for("amounts.items_failed", told(""), RULES).kind is QuestionKind.NUMBER


def test_what_does_not_go_together_is_asked_again_naming_both_places() -> None:
    again = questions(told("key_invalid", "-delivered", "key_failed"), RULES, NOW)[0]
    assert again.field == "answers.delivered"
    assert again.again is not None
    assert "answers.delivered" in again.again.zh
    assert "answers.key_failed" in again.again.zh
    for field, kind in (("events.1.at", QuestionKind.MOMENT), ("ending.amount", QuestionKind.AMOUNT),
                        ("signs.vanished", QuestionKind.CHOICE), ("signs", QuestionKind.SEVERAL),
                        ("payment.amount", QuestionKind.AMOUNT)):  # fmt: skip
        assert question_for(field, told("key_invalid"), RULES).kind is kind


def test_every_problem_opens_with_a_question_and_one_that_is_denied_asks_no_further_into_it() -> None:
    assert [claim for claim in RULES.book.claims if not fields(told(claim))] == []
    assert fields(told("minor_purchase")) == ["answers.child_acted"]
    assert fields(told("minor_purchase", "child_acted")) == ["answers.under_18"]
    assert "answers.under_18" not in fields(told("minor_purchase", "-child_acted"))


def test_figures_are_asked_in_pairs_and_by_what_was_bought() -> None:
    def asked(goods: Goods, **amounts: int) -> list[str]:
        return fields(told("service_closed", "service_stopped", goods=goods, amounts=amounts))

    assert asked(Goods.BALANCE) == ["amounts.balance_minor"]
    assert asked(Goods.BALANCE, balance_minor=100) == ["amounts.face_minor"]
    assert asked(Goods.SUBSCRIPTION) == ["amounts.days_used"]
    assert asked(Goods.SUBSCRIPTION, days_used=3) == ["amounts.days_total"]
    assert not asked(Goods.SUBSCRIPTION, days_used=3, days_total=30)[0].startswith("amounts")
    assert fields(told("bundle_item_failed", "mismatch", "one_item_affected")) == ["amounts.failed_minor"]


def test_a_figure_that_nobody_knows_is_asked_once_and_leaves_the_sum_of_a_letter_to_be_filled_in() -> None:
    story = told("bundle_item_failed", "mismatch", "one_item_affected")
    asked = []
    while (one := questions(story, law_rules(), NOW)) and one[0].field.startswith("amounts."):
        asked.append(one[0].field)
        story = answered(story, one[0].field, "unknown")
    assert asked == ["amounts.failed_minor", "amounts.items_total", "amounts.items_failed"]
    assert read_story(write_story(story, None), "case.yaml", names()).unknown == story.unknown
    found = assess(asked_out(story), law_rules(), NOW)
    made = letter(story, found, To.MERCHANT, Language.ZH, NOW)
    assert isinstance(made, Letter)
    assert ("【要退的金额】" in made.body, "100.00 元退回" in made.body) == (True, False)
    known = answered(story, "amounts.failed_minor", "60")
    assert (known.amounts["failed_minor"], "failed_minor" in known.unknown) == (6000, False)
