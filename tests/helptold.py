"""Ten published cases as their buyers would tell them, with what the law gives; no names in them."""

from typing import NamedTuple

from kabao.selfhelp import Kind


class Told(NamedTuple):
    """What the buyer answers, and what should come of it; `asked` is the first question about what happened."""

    basics: str
    answers: str
    asked: str
    path: str
    best: tuple[str, str, int] | None
    shows: str = ""
    kind: Kind = Kind.RECORDING
    terms: str = ""


TOLD = {
    "an account that its first owner took back": Told(
        "goods=account claim=reclaimed payment.amount=3500", "access_lost=yes risk_known=yes",
        "answers.access_lost", "ordinary", ("strong", "refund", 297500), "access_lost",
    ),
    "a child who bought accounts": Told(
        "goods=account claim=minor_purchase payment.amount=36652",
        "child_acted=yes under_18=yes guardian_agreed=no",
        "answers.child_acted", "ordinary", ("strong", "refund", 3665200), "child_acted under_18", Kind.FAMILY_RECORD,
    ),
    "boosting that cheated and got the account banned": Told(
        "goods=service claim=issuer_ban payment.amount=100", "deceit=yes access_lost=yes",
        "answers.deceit", "ordinary", ("strong", "refund", 10000), "deceit", Kind.ADMISSION,
    ),
    "an account that is not what was promised": Told(
        "goods=account claim=not_as_described payment.amount=40810", "mismatch=yes",
        "answers.mismatch", "ordinary", ("strong", "refund", 4081000), "mismatch",
    ),
    "a charge at the last step": Told(
        "goods=software claim=charged_at_export payment.amount=9.90", "charge_hidden=yes",
        "answers.charge_hidden", "ordinary", ("strong", "refund", 990), "charge_hidden",
    ),
    "one part of a bundle that failed": Told(
        "goods=other claim=bundle_item_failed payment.amount=5500",
        "mismatch=yes one_item_affected=yes amounts.failed_minor=600",
        "answers.mismatch", "ordinary", ("strong", "refund", 60000), "mismatch one_item_affected",
    ),
    "a rule that no one may complain after receipt": Told(
        "goods=other claim=clause_unfair payment.amount=14000", "ground_shown=yes",
        "answers.ground_shown", "ordinary", ("fair", "refund", 1400000), "ground_shown", Kind.TEST_REPORT,
        "虚拟商品一经售出，概不退换。",
    ),
    "a delivery that was changed unasked": Told(
        "goods=other claim=delivery_changed payment.amount=158", "mode_changed=yes seller_is_platform=yes",
        "answers.mode_changed", "ordinary", ("strong", "refund", 15800), "mode_changed",
    ),
    "a service that was closed": Told(
        "goods=balance claim=service_closed payment.amount=30000",
        "service_stopped=yes idle_by_choice=yes amounts.balance_minor=30000 amounts.face_minor=30000",
        "answers.service_stopped", "ordinary", ("strong", "refund", 1200000), "service_stopped",
    ),
    "an account sold and secretly taken back": Told(
        "goods=account claim=reclaimed payment.amount=13000 signs=taken_back_secretly", "",
        "signs.police_called", "fraud", None,
    ),
}  # fmt: skip
"""What the courts gave: 0.857 of the price, all, ¥500 of damages, all, all, ¥600, all, all, 0.40, a sentence."""
BASICS = "signs=none shop.name=一家店 platform.name=某平台 title=一件商品 payment.at=2026-11-14 payment.channel=alipay"
