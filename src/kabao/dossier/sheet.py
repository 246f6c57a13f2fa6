"""A ruling as everybody reads it: one value behind the page, the PDF, the JSON document and the desk's preview. Pure.

A sheet holds what was fixed when the ruling was made, so that the same ruling is the same sheet at any later time; what
became of it is told beside it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication import Rulebook, make_case
from kabao.adjudication.authority import authorities
from kabao.adjudication.reasons import NO_FAULT
from kabao.cases.decisions import BY_THE_BOOK, OUTCOMES
from kabao.cases.facts import BEIJING, Said
from kabao.cases.ladder.awards import differs, suggested_of
from kabao.cases.ladder.grounds import TAKES
from kabao.cases.ladder.model import Award, Grounds, RulingStage, Shares
from kabao.cases.machine import Stage
from kabao.cases.model import Beside, OfferView, Outcome, RulingView, Turn
from kabao.cases.store import CaseEvent
from kabao.cases.words import RULED_BY, WHO, yuan
from kabao.dossier.papers import FAMILIES
from kabao.dossier.reading import CaseRead, OrderRead, case_ref
from kabao.dossier.words import moment
from kabao.evidence import Item
from kabao.law import load_catalogue

CITED: Final = re.compile(r"(?:证据\s*|(?<![A-Za-z0-9])E)(\d{1,3})(?!\d)")
"""How people name an item of evidence: 证据 3, E3."""
STAKES: Final = frozenset({"frozen", "claimed"})
"""The events of an order that say what a case is about: money held, or paid out already."""
WITHIN: Final = (
    "双方都可以申请一次复核，由没有参与过裁决的人来办。没有人申请，到时按裁决执行；双方都放弃复核，马上执行。"
)
GREEN_WITHIN: Final = "商家可以申请一次复核，由人来办。退款已经执行，复核改判也不追回，查实买家编造的除外。"
UNREAD: Final = "裁决时尚未读到，没有回答。"
TO_REVIEW: Final = f"{UNREAD}可以申请复核，把它写进理由，由没有参与过裁决的人来看。"
NO_REVIEW: Final = f"{UNREAD}平台里不再有复核，平台外的路照样能走。"
EARLIER_OFFERS: Final = "先前还提过 {count} 个方案，已被后来的取代，案件页上都在。"
GREEN_PAID: Final = "退款在提出纠纷时已经执行，出自托管方冻结的货款，不追回；复核改判后商家应得的，由平台备付付给商家。"


class RulingState(StrEnum):
    """What became of a ruling."""

    ISSUED = "issued"
    UNDER_REVIEW = "under_review"
    UPHELD = "upheld"
    CHANGED = "changed"
    WAITING = "waiting"
    EXECUTED = "executed"
    CHARGED_BACK = "charged_back"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party brought forward: what, in whose words, shown by which item, and how the rules took it.

    `key` names it for its answer; `take` is how whoever ruled took it, in words, and `why` (empty where it was not
    answered). `unread` says that it came in after whoever ruled had read, and what to do with it.
    """

    by: str
    text: str
    said: str = ""
    item_no: int | None = None
    answer: str = ""
    key: str = ""
    take: str = ""
    why: str = ""
    unread: str = ""


class SheetArticle(msgspec.Struct, frozen=True, kw_only=True):
    """An article that the facts led to."""

    number: int
    article_id: str
    title: str


class SheetLaw(msgspec.Struct, frozen=True, kw_only=True):
    """A provision behind an article, and what it says in our words."""

    name: str
    summary: str


class SheetItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of evidence there was when the ruling was made; `is_cited` where somebody names it."""

    no: int
    item_id: int
    about: str
    sha256: str
    is_cited: bool


class SheetRules(msgspec.Struct, frozen=True, kw_only=True):
    """What the binding rulebook said of the facts at that moment; it decides nothing by itself."""

    version: str
    result: str
    findings: list[str]
    articles: list[SheetArticle]
    laws: list[SheetLaw]


class SheetBasis(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever ruled rests the ruling on: articles, and the law behind them and beside them.

    `follows` where it gives what the rules suggested; then the articles are theirs unless others were named.
    """

    articles: list[SheetArticle]
    laws: list[SheetLaw]
    follows: bool


class RulingSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling in full; amounts in minor units.

    `merchant_minor` is what is left for the merchant of held money, None where the money was released before or new
    keys are given; then `refund_minor` is what takes their place where there is no stock.
    `basis` is None on rulings from before it was kept; `unanswered` is why an open question was not waited for.
    `review_until` None where there is no review any more. Digests are in hex, empty where nothing was kept.
    """

    ref: str
    order_ref: str
    title: str
    no: int
    stage: RulingStage
    heading: str
    made_by: str
    made_at: datetime
    outcome: Outcome
    label: str
    refund_minor: int
    damages_minor: int
    stake_minor: int
    merchant_minor: int | None
    payer: str
    opening: str
    shares: Shares | None
    found: str
    reasons: str
    differs: str
    dissent: str
    points: list[Point]
    rules: SheetRules | None
    basis: SheetBasis | None
    unanswered: str
    version: str
    items: list[SheetItem]
    reviews: str
    review: str
    review_until: datetime | None
    decision_digest: str
    case_file_digest: str

    @property
    def is_without_fault(self) -> bool:
        """Whether the rules themselves gave the price back for a return, which is nobody's fault."""
        return self.stage in {RulingStage.GREEN, RulingStage.DEFAULT} and NO_FAULT in self.reasons


class Basis(NamedTuple):
    """What a sheet is made from beside the case: what was said of facts, and what the rulebook said, if anything."""

    said: Sequence[tuple[Said, int | None, str]]
    beside: Beside | None
    book: Rulebook | None


def sheet_of(
    read: OrderRead, case: CaseRead, ruling: RulingView, basis: Basis, *, review_until: datetime | None
) -> RulingSheet:
    """Write a ruling in full, from what there was when it was made."""
    stake, is_held = _stake(read, case)
    texts = f"{ruling.facts}\n{ruling.reasons}\n{ruling.differs_reason}\n{ruling.dissent}"
    numbers = {item.item_id: item.item_no for item in read.items}
    said = [one for one in basis.said if one[0].at <= ruling.made_at]
    cited = {int(no) for no in CITED.findall(texts)} | {numbers.get(item or 0, 0) for _, item, _ in said}
    return RulingSheet(
        ref=case_ref(case),
        order_ref=read.ref,
        title=read.order.title,
        no=ruling.ruling_no,
        stage=ruling.stage,
        heading=RULED_BY[ruling.stage],
        made_by=_made_by(ruling),
        made_at=ruling.made_at,
        outcome=ruling.outcome,
        label=ruling.label,
        refund_minor=ruling.refund_minor,
        damages_minor=ruling.damages_minor,
        stake_minor=stake,
        merchant_minor=stake - ruling.refund_minor if is_held and not _replaces(ruling) else None,
        payer=GREEN_PAID if case.row.state.green_minor is not None else _payer(ruling, is_held=is_held),
        opening=case.opening,
        shares=ruling.shares,
        found=ruling.facts,
        reasons=ruling.reasons,
        differs=ruling.differs_reason,
        dissent=ruling.dissent,
        points=_answered(_points(case, ruling, said, numbers, basis), ruling, has_review=review_until is not None),
        rules=_rules(basis),
        basis=_own_basis(read, case, ruling, basis, stake),
        unanswered="" if ruling.grounds is None else ruling.grounds.unanswered,
        version=ruling.rulebook_version or "",
        items=[_item(item, is_cited=item.item_no in cited) for item in read.items if item.at <= ruling.made_at],
        reviews=_reviews(case, ruling),
        review=_review(ruling, review_until),
        review_until=review_until,
        decision_digest=ruling.decision_digest or "",
        case_file_digest=ruling.case_file_digest or "",
    )


def state_of(case: CaseRead, ruling: RulingView) -> RulingState:
    """Tell what became of a ruling."""
    later = next((one for one in case.rulings if one.ruling_no > ruling.ruling_no), None)
    if later is not None:
        return RulingState.UPHELD if _given(later) == _given(ruling) else RulingState.CHANGED
    state = case.row.state
    if state.stage is Stage.CHARGED_BACK:
        return RulingState.CHARGED_BACK
    if not state.stage.is_open or state.stage is Stage.GREEN:
        return RulingState.EXECUTED
    if state.turn is Turn.NOBODY:
        return RulingState.WAITING
    return RulingState.UNDER_REVIEW if state.stage is Stage.REVIEW else RulingState.ISSUED


def _stake(read: OrderRead, case: CaseRead) -> tuple[int, bool]:
    """Find what the case is about, and whether the custodian held it when it was opened."""
    opened_at = case.row.state.opened_at
    for event in reversed(read.order.events):
        if event.kind in STAKES and event.at <= opened_at and event.amount_minor is not None:
            return event.amount_minor, event.kind == "frozen"
    return read.order.amount_minor, True


def _made_by(ruling: RulingView) -> str:
    if ruling.by_duty:
        return "值班长，因为争议组到时没有结论"
    return {
        RulingStage.SUPPORT: "客服",
        RulingStage.PANEL: "争议组",
        RulingStage.REVIEW: "复核人，没有参与过原裁决",
        RulingStage.DEFAULT: "系统，按规则和已知的事实",
        RulingStage.GREEN: "系统，按平台记录",
    }[ruling.stage]


def _replaces(ruling: RulingView) -> bool:
    return ruling.outcome is Outcome.REPLACEMENT


def _given(ruling: RulingView) -> tuple[int, int, bool]:
    return ruling.refund_minor, ruling.damages_minor, _replaces(ruling)


def _payer(ruling: RulingView, *, is_held: bool) -> str:
    if not is_held:
        paid = "这单已经放款：退款从店铺的保证金付，不够的平台先垫，再向商家追偿。"
        price = paid if ruling.refund_minor else "这单已经放款，钱不再动。"
    elif ruling.refund_minor:
        price = "退款出自托管方冻结的货款，退到买家的原付款账户。"
    else:
        price = "冻结在托管方的货款付给商家。"
    keys = "执行时有库存，换新的卡密，钱不动；没有库存，改成退款。" if _replaces(ruling) else ""
    beside = "赔偿从店铺的保证金付，不够的由店铺欠着，交足就付，平台不垫。" if ruling.damages_minor else ""
    return f"{keys}{price}{beside}"


def _reviews(case: CaseRead, ruling: RulingView) -> str:
    if ruling.stage is not RulingStage.REVIEW:
        return ""
    before = next((one for one in reversed(case.rulings) if one.ruling_no < ruling.ruling_no), None)
    if before is None:
        return ""
    way = "维持" if _given(before) == _given(ruling) else "改变"
    return f"{way}了 {moment(before.made_at)} 的裁决（{before.label}）"


def _review(ruling: RulingView, until: datetime | None) -> str:
    if until is not None:
        within = GREEN_WITHIN if ruling.stage is RulingStage.GREEN else WITHIN
        return f"{moment(until)}（北京时间）以前，{within}"
    if ruling.stage is RulingStage.REVIEW:
        return "这已经是复核，平台里不再有下一次；下面那些平台外的路照样能走。"
    return "这份裁决作出时就执行了，平台里没有复核；下面那些平台外的路照样能走。"


def _until(case: CaseRead, ruling: RulingView) -> Sequence[CaseEvent]:
    """Return what had happened in the case when a ruling was made known; everything, for one that is not yet."""
    made = {one.ruling_no: known.event for one, known in zip(case.rulings, case.made, strict=True)}
    if ruling.ruling_no not in made:
        return case.events
    return [event for event in case.events if event.event_id < made[ruling.ruling_no].event_id]


def _answered(points: list[Point], ruling: RulingView, *, has_review: bool) -> list[Point]:
    """Put the answers of whoever ruled to the points they answer, and tell where what was not read can be brought."""
    given = {one.point: one for one in ruling.grounds.answers} if ruling.grounds is not None else {}
    unread = set() if ruling.grounds is None else set(ruling.grounds.unread or ())
    told = []
    for point in points:
        take = given.get(point.key)
        if take is not None:
            told.append(msgspec.structs.replace(point, take=TAKES[take.take], why=" ".join(take.why.split())))
        elif point.key in unread:
            told.append(msgspec.structs.replace(point, unread=TO_REVIEW if has_review else NO_REVIEW))
        else:
            told.append(point)
    return told


def _points(
    case: CaseRead,
    ruling: RulingView,
    said: Sequence[tuple[Said, int | None, str]],
    numbers: Mapping[int, int],
    basis: Basis,
) -> list[Point]:
    """List what each party brought forward before the ruling, in order."""
    events, opener = _until(case, ruling), case.row.state.opened_by
    points = [Point(by=opener.value, text=f"{case.opening}。", said=case.row.statement, key="claim")]
    answered = [event for event in events if event.kind == "answered"]
    points += [Point(by=one.actor_role, text="答复：", said=one.body or "", key=f"e{one.event_id}") for one in answered]
    if not answered:
        points.append(Point(by=opener.other.value, text="没有作书面答复。"))
    if ruling.grounds is not None:
        points += _replies(events, ruling.grounds)
        points += _offers([one for one in case.offers if one.note and one.made_at <= ruling.made_at], ruling.grounds)
    points += [_fact_point(*one, numbers, basis) for one in said if one[0].by in {"buyer", "merchant"}]
    points += [
        Point(by=event.actor_role, text="申请复核：", said=event.body or "", key=f"e{event.event_id}")
        for event in events
        if event.kind == "review_asked"
    ]
    return points


def _replies(events: Sequence[CaseEvent], grounds: Grounds) -> list[Point]:
    """List the answers to questions; a ruling from before they were points lists none."""
    told = [] if grounds.unread is None else [event for event in events if event.kind == "replied"]
    return [Point(by=one.actor_role, text="回答提问：", said=one.body or "", key=f"e{one.event_id}") for one in told]


def _offers(offers: Sequence[OfferView], grounds: Grounds) -> list[Point]:
    """List what offers say for themselves: each side's newest and what was answered, and how many came before.

    A ruling from before what was read was kept lists them all, as it did.
    """
    newest = {one.by_role: one.offer_id for one in offers}
    answered = {one.point for one in grounds.answers}
    told: list[Point] = []
    left_out = dict.fromkeys(newest, 0)
    for one in offers:
        key, is_newest = f"o{one.offer_id}", newest[one.by_role] == one.offer_id
        if not is_newest and key not in answered and grounds.unread is not None:
            left_out[one.by_role] += 1
            continue
        told.append(Point(by=one.by_role.value, text=f"提方案（{one.label}）：", said=one.note, key=key))
        if is_newest and left_out[one.by_role]:
            text = EARLIER_OFFERS.format(count=left_out[one.by_role])
            told.append(Point(by=one.by_role.value, text=text))
    return told


def _fact_point(said: Said, item_id: int | None, note: str, numbers: Mapping[int, int], basis: Basis) -> Point:
    named = None if basis.book is None else basis.book.facts.get(said.fact)
    label = said.fact if named is None else named.label.zh
    return Point(
        by=said.by,
        text=f"主张「{label}」{'成立' if said.shows else '不成立'}。",
        said=note,
        item_no=None if item_id is None else numbers.get(item_id),
        answer=_taken(said.fact, basis),
        key=f"f{said.said_id}",
    )


def _taken(fact: str, basis: Basis) -> str:
    if basis.beside is None or basis.beside.file is None or basis.book is None:
        return ""
    known = make_case(basis.beside.file, basis.book).known.get(fact)
    return {True: "按规则：认定成立。", False: "按规则：认定不成立。", None: "按规则：没有达到证明标准。"}[known]


def _own_basis(
    read: OrderRead, case: CaseRead, ruling: RulingView, basis: Basis, stake_minor: int
) -> SheetBasis | None:
    """Tell what a ruling rests on, and whether that is what the rules suggested; what they do by themselves is."""
    grounds, state = ruling.grounds, case.row.state
    if grounds is None:
        return None
    given = Award(ruling.refund_minor, ruling.damages_minor, replaces=_replaces(ruling))
    suggested = None if basis.beside is None else suggested_of(basis.beside.decision, state.demand, stake_minor)
    book = {} if basis.book is None else basis.book.articles
    articles = sorted((book[name] for name in grounds.articles if name in book), key=lambda one: one.number)
    days = {at_filing: _day(state.opened_at if at_filing else read.order.placed_at) for at_filing in (True, False)}
    behind = [
        one.citation
        for article in articles
        for cite in article.cites
        for one in authorities(cite, days[article.at_filing])
        if one.citation is not None and not one.fault
    ]
    cited = [citation for law in grounds.laws if (citation := load_catalogue().get(law)) is not None]
    laws = {one.text_zh(): one.summary_zh for one in (*cited, *behind)}
    by_itself = ruling.stage in {RulingStage.DEFAULT, RulingStage.GREEN}
    return SheetBasis(
        articles=[SheetArticle(number=one.number, article_id=one.article_id, title=one.title.zh) for one in articles],
        laws=[SheetLaw(name=name, summary=summary) for name, summary in laws.items()],
        follows=by_itself or (suggested is not None and not differs(suggested, given)),
    )


def _day(at: datetime) -> date:
    return at.astimezone(BEIJING).date()


def _rules(basis: Basis) -> SheetRules | None:
    if basis.book is None or basis.beside is None or basis.beside.decision is None:
        return None
    said, articles = basis.beside.decision, basis.book.articles
    told = [reason["zh"] for reason in said["reasons"]]
    split = next((place for place, reason in enumerate(told) if reason.startswith(BY_THE_BOOK)), 0)
    return SheetRules(
        version=basis.beside.rulebook_version,
        result=_result(said),
        findings=told[:split],
        articles=[
            SheetArticle(number=articles[name].number, article_id=name, title=articles[name].title.zh)
            for name in said["articles"]
        ],
        laws=[SheetLaw(name=one["zh"], summary=one["summary_zh"] or "") for one in said["cites"] if one.get("zh")],
    )


def _result(said: Mapping[str, Any]) -> str:
    refund, damages = said["refund_minor"], said["damages_minor"]
    beside = f"，另赔 {yuan(damages)}" if damages else ""
    return OUTCOMES[said["outcome"]] + (f" {yuan(refund)}" if refund else "") + beside


def _item(item: Item, *, is_cited: bool) -> SheetItem:
    what = FAMILIES.get(item.media_type.family, "文件")
    return SheetItem(
        no=item.item_no,
        item_id=item.item_id,
        about=f"{what}，{WHO[item.given_role]}于 {moment(item.at)} 提交",
        sha256=item.digest.hex(),
        is_cited=is_cited,
    )
