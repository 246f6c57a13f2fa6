"""How the demo market's cases come where they stand: each step is asked of the services by whoever takes it."""

import secrets
from typing import NamedTuple, TypeVar

import msgspec

from kabao.cases import GiveFirstView, OpenCase, Outcome, Remedy, Rule, SayFact, Shares
from kabao.cases.ladder.model import UNDO, Answer, Grounds, Take
from kabao.identity import Person, Visitor
from kabao.kernel import Refused
from kabao.orders import PlaceOrder
from kabao.shops import ListingView
from kabao.wiring.app import App

DEVICE = Visitor("kabao demo", "127.0.0.0/24")

UNTIL_READABLE = UNDO.total_seconds() + 1
"""Seconds until a ruling handed in can no longer be taken back, so that both sides read it."""

T = TypeVar("T")


class Cast(NamedTuple):
    """Who plays; an owner for each shop."""

    buyer: Person
    second: Person
    owners: list[Person]
    support: Person


class Judged(NamedTuple):
    """What support finds out of which fact, and how it rules."""

    fact: SayFact | None
    sentence: str
    ruling: Rule
    answers: dict[str, tuple[Take, str]]
    """How the claim and the other side's answer are taken, by kind of point, and why."""


async def quarrel(app: App, cast: Cast, goods: list[ListingView]) -> list[str]:
    """Leave cases before the panel, in review, settled, refunded at once and ruled on.

    Returns those whose rulings are to stand: they are readable once their author can no longer take them back.
    """
    _, software, memberships = cast.owners
    await _before_the_panel(app, cast, software, goods)
    await _sealed(app, cast.second, memberships, goods)
    late = await _opened(
        app,
        cast.second,
        goods[11],
        OpenCase(
            claim="wrong_purchase", demand=Remedy.PARTIAL_REFUND, demand_minor=30_00, statement="买成季卡了，想要月卡。"
        ),
    )
    granted(await app.cases.accept_demand(memberships, late))
    await _ruled(app, cast, goods[3], cast.owners[0], OPEN_FOR_REVIEW)
    return [
        await _ruled(app, cast, goods[1], cast.owners[0], USED_BEFORE),
        await _ruled(app, cast, goods[6], software, CHANGED_MIND),
        await _ruled(app, cast, goods[7], software, HALF_MISSING),
    ]


async def end_quarrels(app: App, parties: list[Person], waits: list[str]) -> None:
    """Let both sides leave rulings as they are once they can be read; then the case library takes what has ended."""
    await app.cases.tick()
    for ref in waits:
        for person in parties:
            # Whoever is no party is refused, and so is one who has asked for a review meanwhile.
            await app.cases.ladder.waive(person, ref)
    await app.instructions.run()
    await app.precedents.publish()
    await app.proposals.file_from_cases()


async def place(app: App, buyer: Person, listing: ListingView, quantity: int = 1) -> str:
    """Place an order with every notice confirmed; returns its reference."""
    wish = PlaceOrder(
        listing_ref=listing.ref,
        snapshot_no=listing.snapshot_no,
        quantity=quantity,
        confirmed=[notice.notice_id for notice in listing.notices],
        idempotency_key=secrets.token_urlsafe(16),
    )
    return granted(await app.orders.place(buyer, wish)).ref


async def buy(app: App, buyer: Person, listing: ListingView, quantity: int = 1) -> str:
    """Place an order and pay it at the simulated institution; returns its reference."""
    ref = await place(app, buyer, listing, quantity)
    checkout = granted(await app.orders.checkout(buyer, ref)).rpartition("/")[2]
    payment = await app.custody.pay(checkout)
    if payment is None or not await app.custody.notify(payment, app.take_notice):
        raise RuntimeError("the simulated institution did not take a demo payment")
    return ref


def granted(answer: T | Refused) -> T:
    """Return what a service answered; a refusal here is a fault of the demo's own content."""
    if isinstance(answer, Refused):
        raise RuntimeError(f"the demo market was refused: {answer.code} {sorted(answer.fields)}")  # noqa: TRY004
    return answer


async def _opened(app: App, buyer: Person, listing: ListingView, wish: OpenCase, quantity: int = 1) -> str:
    """Buy, open every key, and open a case."""
    order = await buy(app, buyer, listing, quantity)
    granted(await app.orders.reveal(buyer, order, None, DEVICE))
    return granted(await app.cases.open(buyer, order, wish)).ref


async def _risen(app: App, buyer: Person, owner: Person, case: str, answer: str) -> None:
    """Let the merchant contest and the buyer call support."""
    granted(await app.cases.answer(owner, case, answer))
    granted(await app.cases.escalate(buyer, case))


async def _before_the_panel(app: App, cast: Cast, owner: Person, goods: list[ListingView]) -> None:
    """Leave one case above the amount from which three decide, and one below."""
    large = await _opened(
        app,
        cast.second,
        goods[5],
        OpenCase(
            claim="not_as_described",
            demand=Remedy.FULL_REFUND,
            statement="买了两份永久授权，激活后都显示一年到期。要求两份全额退款。",
        ),
        quantity=2,
    )
    await _risen(app, cast.second, owner, large, "页面上的到期日只是升级服务的，授权本身是永久的。")
    small = await _opened(
        app,
        cast.buyer,
        goods[4],
        OpenCase(claim="reclaimed", demand=Remedy.FULL_REFUND, statement="用了一天，授权被发行方收回，软件打不开了。"),
    )
    await _risen(app, cast.buyer, owner, small, "授权是正规渠道来的，被收回可能是你换了设备。")
    for case, summary in (
        (large, "双方对「永久授权」怎么理解不一致，金额也较大。商品页快照和激活页的话都在证据里。"),
        (small, "收回的原因双方说法不同，发行方还没有回复。买家说没有换过设备。"),
    ):
        granted(await app.cases.ladder.pass_on(cast.support, case, summary))


async def _sealed(app: App, buyer: Person, owner: Person, goods: list[ListingView]) -> None:
    """Leave two cases that the records decided as they were opened: one closed, one in review."""
    why = "还没有拆封，不想要了，全额退。"
    wish = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement=why)
    closed = granted(await app.cases.open(buyer, await buy(app, buyer, goods[10]), wish)).ref
    granted(await app.cases.ladder.waive(owner, closed))
    wish = OpenCase(claim="wrong_purchase", demand=Remedy.FULL_REFUND, statement="想买月卡，买成年卡了，还没有拆封。")
    reviewed = granted(await app.cases.open(buyer, await buy(app, buyer, goods[9]), wish)).ref
    granted(await app.cases.ladder.ask_review(owner, reviewed, "下单页写明年卡，确认过两次，请再看一次。"))


async def _ruled(app: App, cast: Cast, listing: ListingView, owner: Person, what: tuple[OpenCase, str, Judged]) -> str:
    """Lead a case of the second buyer to support and have it ruled on."""
    wish, answer, judged = what
    case = await _opened(app, cast.second, listing, wish)
    await _risen(app, cast.second, owner, case, answer)
    if judged.fact is not None:
        await app.decisions.say_fact(cast.support, case, judged.fact)
    ruling = judged.ruling
    view = GiveFirstView(
        outcome=ruling.outcome, refund_minor=ruling.refund_minor, shares=ruling.shares, sentence=judged.sentence
    )
    granted(await app.cases.ladder.first_view(cast.support, case, view))
    points = granted(await app.cases.ladder.points(cast.support, case))
    taken = [(point.key, *judged.answers[point.kind]) for point in points if point.kind in judged.answers]
    answers = [Answer(point=key, take=take, why=why) for key, take, why in taken]
    ruling = msgspec.structs.replace(ruling, grounds=Grounds(answers=answers))
    granted(await app.cases.ladder.rule(cast.support, case, ruling))
    return case


USED_BEFORE = (
    OpenCase(claim="already_used", demand=Remedy.FULL_REFUND, statement="拆封后两分钟去充值，提示卡密已被使用。"),
    "我们发出去的卡都是新的，请再试一次。",
    Judged(
        SayFact(
            fact="key_failed", shows=True, note="发行方答复：拆封前一天已兑换", kind="issuer_record", confidence=95
        ),
        "发行方的记录说明拆封前就用过了。",
        Rule(
            outcome=Outcome.FULL_REFUND,
            shares=Shares(merchant=100),
            facts="发行方答复，这张卡在买家拆封的前一天已经兑换。买家拆封后两分钟充值失败。",
            reasons="交付时卡密应当有效、未使用。发行方的记录证明它交付前已被使用，所以全额退款。",
        ),
        {
            "claim": (Take.ACCEPTED, "发行方的记录证实交付前已兑换。"),
            "answered": (Take.NOT_ACCEPTED, "发行方的记录比店里的说法可靠，没有别的反证。"),
        },
    ),
)
CHANGED_MIND = (
    OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="拆封以后发现用不上了，想退。"),
    "卡密已经拆封，没法再卖，不能退。",
    Judged(
        None,
        "已经拆封，商品没有问题。",
        Rule(
            outcome=Outcome.NO_REFUND,
            shares=Shares(buyer=100),
            facts="卡密有效，买家已经拆封，退款的理由是用不上了。付款前的提示写明拆封后不退，买家逐条确认过。",
            reasons="商品没有问题，拆封以后的改变主意由买家自己承担。",
        ),
        {
            "claim": (Take.NOT_ACCEPTED, "商品没有问题，付款前已确认拆封后不退。"),
            "answered": (Take.ACCEPTED, "拆封属实，提示也做过。"),
        },
    ),
)
HALF_MISSING = (
    OpenCase(
        claim="not_as_described",
        demand=Remedy.FULL_REFUND,
        statement="商品页写三个月内可做全部题目，兑换以后有一半题目打不开。",
    ),
    "题目会陆续开放的，再等等。",
    Judged(
        SayFact(fact="mismatch", shows=True, note="在题库里试过，一半题目打不开", kind="screenshot", confidence=70),
        "商品页没有写分批开放。",
        Rule(
            outcome=Outcome.FULL_REFUND,
            shares=Shares(merchant=100),
            facts="商品页写“三个月内可做全部题目”，没有写分批开放。客服试过，兑换以后有一半题目打不开。",
            reasons="交付的和商品页写的不一样，商家没有事先说明，所以全额退款。",
        ),
        {
            "claim": (Take.ACCEPTED, "客服自己试过，一半题目打不开。"),
            "answered": (Take.NOT_ACCEPTED, "商品页没有写分批开放，事后说的不算。"),
        },
    ),
)
OPEN_FOR_REVIEW = (
    OpenCase(
        claim="key_invalid",
        demand=Remedy.FULL_REFUND,
        statement="激活页面提示激活码无效，换了两台电脑都一样。",
    ),
    "激活码发出前校验过，可能是输错了。",
    Judged(
        SayFact(
            fact="key_failed", shows=True, note="在发行方的页面上试过，提示无效", kind="issuer_record", confidence=95
        ),
        "客服自己试过，确实无效。",
        Rule(
            outcome=Outcome.FULL_REFUND,
            shares=Shares(merchant=100),
            facts="客服在发行方的页面上试过这枚激活码，提示无效，和买家说的一致。",
            reasons="交付的激活码应当有效。商家没有拿出发出前校验的记录，所以全额退款。",
        ),
        {
            "claim": (Take.ACCEPTED, "客服自己试过，提示无效。"),
            "answered": (Take.NOT_ACCEPTED, "没有拿出发出前校验的记录。"),
        },
    ),
)
