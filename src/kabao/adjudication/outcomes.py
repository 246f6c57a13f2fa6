"""Reading what an article decides: the price, the responsible shares, damages and who pays."""

from collections.abc import Callable
from typing import Final, NamedTuple

from kabao.adjudication.fields import Fields, items, mapping, whole, word
from kabao.adjudication.model import (
    UNDECIDED,
    Base,
    Component,
    Damages,
    Issue,
    Less,
    Loss,
    Outcome,
    Party,
    Payer,
    Price,
    Recourse,
    Remedy,
    Shares,
    Value,
)
from kabao.adjudication.yamlread import ListNode, MapNode, Node, TextNode

_OUTCOMES: Final = [outcome for outcome in Outcome if outcome is not Outcome.CONFLICT]
_NO_REFUND: Final = UNDECIDED | {Outcome.DENY, Outcome.BUYER_PAYS}
_DEFAULT_REMEDY: Final = {Outcome.REPLACE: (Remedy.REPLACE,), Outcome.PERFORM: (Remedy.PERFORM,)}
_WHOLE = 100


def values(node: Node) -> dict[Issue, Value]:
    """Read ``then``: at least one issue."""
    fields = Fields(node, "", "price responsible damages payer")
    if not fields.node.entries:
        raise node.problem("an article decides at least one issue", "price, responsible, damages or payer")
    readers: dict[Issue, Callable[[Node], Value]] = {
        Issue.PRICE: price,
        Issue.RESPONSIBLE: shares,
        Issue.DAMAGES: damages,
        Issue.PAYER: payer,
    }
    found: dict[Issue, Value] = {i: read(fields[i.value]) for i, read in readers.items() if i.value in fields}
    fault = found.get(Issue.PRICE)
    if isinstance(fault, Price) and fault.base is Base.FAULT and Issue.RESPONSIBLE not in found:
        raise fields["price"].problem("a refund by fault needs the responsible shares in the same article")
    return found


def price(node: Node) -> Price:
    """Read the fate of the price and hold the outcome to what it can mean."""
    fields = Fields(node, "outcome", "refund remedy choice returns")
    outcome = Outcome(word(fields["outcome"], _OUTCOMES))
    back = _Refund()
    if "refund" in fields:
        back = _refund(fields["refund"])
    elif outcome is Outcome.FULL_REFUND:
        back = _Refund(Base.FULL)
    base, share, low, high, less, fee_percent = back
    if "remedy" in fields:
        remedy = tuple(Remedy(word(item, list(Remedy))) for item in items(fields["remedy"], at_least=1))
        if len(set(remedy)) != len(remedy):
            raise fields["remedy"].problem("a remedy stands here twice")
    else:
        remedy = _DEFAULT_REMEDY.get(outcome, () if base is Base.NONE else (Remedy.REFUND,))
    returns = fields.maybe("returns", lambda n: word(n, ["granted", "nothing"]), "")
    if bool(returns) != (outcome is Outcome.BUYER_PAYS):
        raise node.problem("returns belongs to BUYER_PAYS, and BUYER_PAYS needs it", "returns: granted, or nothing")
    choice = fields.maybe("choice", lambda n: word(n, ["buyer", "merchant"]), "buyer")
    found = Price(outcome, base, share, low, high, less, remedy, choice == "buyer", returns == "granted", fee_percent)
    complaint = _unfit(found)
    if complaint:
        raise node.problem(complaint)
    return found


def _unfit(found: Price) -> str:  # noqa: PLR0911 - the first complaint counts
    outcome, repays = found.outcome, found.base is not Base.NONE
    whole_price = found.base is Base.FULL and found.less is Less.NOTHING
    if outcome is Outcome.FULL_REFUND and not whole_price:
        return "FULL_REFUND repays the whole price"
    if outcome in _NO_REFUND and (repays or found.remedy):
        return f"{outcome} has no refund and no remedy"
    if outcome is Outcome.PARTIAL_REFUND and (not repays or whole_price):
        return "PARTIAL_REFUND needs a formula that repays a part"
    if outcome in _DEFAULT_REMEDY and (not found.remedy or found.remedy[0] not in _DEFAULT_REMEDY[outcome]):
        return f"{outcome} names its remedy first"
    if repays != (Remedy.REFUND in found.remedy):
        return "a refund formula and the remedy refund go together"
    if outcome not in _DEFAULT_REMEDY and found.remedy and found.remedy[0] is not Remedy.REFUND:
        return f"the first remedy of {outcome} is refund"
    return ""


class _Refund(NamedTuple):
    """A formula of a refund as written."""

    base: Base = Base.NONE
    share: int = 0
    low: int | None = None
    high: int | None = None
    less: Less = Less.NOTHING
    fee_percent: int | None = None


def _refund(node: Node) -> _Refund:
    if isinstance(node, TextNode):
        base = Base(word(node, list(Base)))
        if base is Base.SHARE:
            raise node.problem("a share needs its percent", "refund: {base: share, share: 60}")
        return _Refund(base)
    fields = Fields(node, "base", "less share range at_most")
    base = Base(word(fields["base"], list(Base)))
    if (base is Base.SHARE) != ("share" in fields):
        raise node.problem("share belongs to base: share, and base: share needs it")
    share = fields.maybe("share", lambda n: whole(n, 1, 99), 0)
    less = Less(fields.maybe("less", lambda n: word(n, ["fee", "use"]), "nothing"))
    if less is not Less.NOTHING and base is Base.NONE:
        raise node.problem("nothing can be taken off no refund")
    fee_percent = whole(fields["at_most"], 1, 99) if "at_most" in fields else None
    if fee_percent is not None and less is not Less.FEE:
        raise fields["at_most"].problem("at_most is the percent of the price that a fee may reach, and needs less: fee")
    if "range" not in fields:
        return _Refund(base, share, less=less, fee_percent=fee_percent)
    if base not in {Base.SHARE, Base.FAULT}:
        raise fields["range"].problem("a range belongs to base: share or base: fault")
    ends = items(fields["range"], at_least=2, at_most=2)
    low, high = whole(ends[0], 0, _WHOLE), whole(ends[1], 0, _WHOLE)
    if low >= high or (base is Base.SHARE and not low <= share <= high):
        raise fields["range"].problem("a range goes from low to high and holds the share")
    return _Refund(base, share, low, high, less, fee_percent)


def shares(node: Node) -> Shares:
    """Read responsible shares."""
    if isinstance(node, TextNode):
        word(node, ["none"])
        return Shares()
    fields = Fields(node, "", "buyer merchant platform")
    parts = [fields.maybe(name, lambda n: whole(n, 0, _WHOLE), 0) for name in ("buyer", "merchant", "platform")]
    if sum(parts) != _WHOLE:
        raise node.problem(f"the shares sum to {sum(parts)}, not to 100", "or write none")
    return Shares(*parts)


def damages(node: Node) -> Damages:
    """Read damages."""
    if isinstance(node, TextNode) and node.text == "none":
        return Damages()
    if isinstance(node, ListNode):
        return Damages(tuple(_component(item) for item in items(node, at_least=1, at_most=8)))
    return Damages((_component(node),))


def _component(node: Node) -> Component:
    plain = [loss for loss in Loss if loss is not Loss.GREATER_OF]
    if isinstance(node, MapNode) and "greater_of" in node.entries:
        fields = Fields(node, "greater_of")
        options = tuple(_component(item) for item in items(fields["greater_of"], at_least=2, at_most=8))
        return Component(Loss.GREATER_OF, options=options)
    if isinstance(node, TextNode):
        base = Loss(word(node, plain))
        if base is Loss.MULTIPLE:
            raise node.problem("a multiple needs its times", "{base: multiple, times: 3}")
        return Component(base)
    fields = Fields(mapping(node), "base", "times floor_minor cap_minor less")
    base = Loss(word(fields["base"], plain))
    if (base is Loss.MULTIPLE) != ("times" in fields):
        raise node.problem("times belongs to base: multiple, and base: multiple needs it")
    times = fields.maybe("times", lambda n: whole(n, 1, 100), 0)
    floor = fields.maybe("floor_minor", whole, 0)
    cap = fields.maybe("cap_minor", _cap, None)
    if cap is not None and cap < floor:
        raise fields["cap_minor"].problem("the cap is below the floor")
    less = fields.maybe("less", lambda n: word(n, ["refund"]), "")
    return Component(base, times, floor, cap, less == "refund")


def _cap(node: Node) -> int | None:
    return whole(node)


def payer(node: Node) -> Payer:
    """Read who pays."""
    who = {"merchant": Party.MERCHANT, "platform": Party.PLATFORM, "buyer": Party.BUYER, "none": Party.NOBODY}
    if isinstance(node, TextNode):
        return Payer(who[word(node, who)])
    fields = Fields(node, "who", "recourse joint")
    first = who[word(fields["who"], who)]
    recourse = Recourse(fields.maybe("recourse", lambda n: word(n, list(Recourse)), "none"))
    joint = Party(fields.maybe("joint", lambda n: word(n, ["merchant", "platform"]), "nobody"))
    if first in (joint, recourse):
        raise node.problem(f"{first} cannot stand beside itself")
    return Payer(first, recourse, joint)
