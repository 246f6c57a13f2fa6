"""Ten published cases as their buyers would tell them: asked, judged by law, packed, verified; no names in them."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from helpstories import NOW
from kabao.packs import check
from kabao.selfhelp import Kind, Language, folder
from kabao.selfhelp.commands import Said, new_command, next_command, pack_command


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


def came(said: Said) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(said.text)
    return found


@pytest.mark.parametrize("name", TOLD)
def test_a_published_case_goes_from_an_empty_folder_to_a_pack_that_verifies(name: str, tmp_path: Path) -> None:
    one, place, target = TOLD[name], tmp_path / "case", tmp_path / "case.zip"
    new_command(place, None, NOW, Language.ZH, as_json=True)
    (place / "evidence" / "a.mp4").write_bytes(name.encode())
    if one.terms:
        (place / "terms" / "rules.txt").write_text(one.terms)
    given = dict(part.split("=") for part in f"{BASICS} {one.basics}".split())
    found = came(next_command(place, tuple(f"{field}={value}" for field, value in given.items()), NOW, as_json=True))
    asked, known = [], dict(part.split("=") for part in one.answers.split())
    while found["questions"]:
        field = found["questions"][0]["field"]
        assert field not in asked
        asked.append(field)
        value = known.get(field.removeprefix("answers."), "unknown")
        found = came(next_command(place, (f"{field}={value}",), NOW, as_json=True))
    story = folder.load(place)
    item = msgspec.structs.replace(story.evidence[0], kind=one.kind, shows=tuple(one.shows.split()), include=True)
    folder.save(place, msgspec.structs.replace(story, evidence=(item,)))
    found = came(next_command(place, (), NOW, as_json=True))
    best = [(ask["strength"], ask["what"], ask["amount_minor"]) for ask in found["asks"]]
    assert (asked[0], found["path"], best[:1]) == (one.asked, one.path, [one.best] if one.best else best[:1])
    assert len(asked) <= 14
    if one.path == "fraud":
        assert asked[:2] == ["signs.police_called", "signs.payment_stopped"]
        assert found["letters"] == ["payment", "platform"]
        assert {ask[0] for ask in best} == {"weak"}
    packed = came(pack_command(place, target, NOW, as_json=True))
    assert (packed["originals"], packed["fingerprints"]) == ([1], [])
    assert check(target).exit_code == 0
