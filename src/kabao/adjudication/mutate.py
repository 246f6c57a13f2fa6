"""One-edit mutants of a rulebook, to see whether loader, check or golden cases notice each small mistake."""

from collections.abc import Iterator
from typing import Final

import msgspec

from kabao.adjudication.clauses import both_by_default, closure, never_true
from kabao.adjudication.model import (
    Article,
    Base,
    Damages,
    Fact,
    Issue,
    Literal,
    Outcome,
    Party,
    Payer,
    Price,
    Problem,
    Remedy,
    Rulebook,
    Shares,
    Unreadable,
    Value,
)
from kabao.adjudication.overrides import beaten_by

_SWAP: Final = {Party.BUYER: Party.MERCHANT, Party.MERCHANT: Party.BUYER, Party.PLATFORM: Party.MERCHANT}


class Mutant(msgspec.Struct, frozen=True):
    """One edit and the book it makes; ``book`` is None where loading refuses it."""

    edit: str
    book: Rulebook | None


class Edit(msgspec.Struct, frozen=True):
    """One edit in words, and the article, fact or impossible pairs it leaves behind."""

    edit: str
    article: Article | None = None
    fact: Fact | None = None
    impossible: tuple[tuple[Literal, Literal], ...] | None = None

    def of(self, book: Rulebook) -> Mutant:
        """Make the edited book."""
        change = msgspec.structs.replace
        try:
            if self.article is not None:
                merged = {**book.articles, self.article.article_id: self.article}
                return Mutant(self.edit, change(book, articles=merged, beaten_by=beaten_by(merged, book.chapters)))
            if self.fact is not None:
                changed = change(book, facts={**book.facts, self.fact.fact_id: self.fact})
            else:
                changed = change(book, impossible=self.impossible)
            _validate(changed)
        except Unreadable:
            return Mutant(self.edit, None)
        return Mutant(self.edit, changed)


def edits(book: Rulebook) -> Iterator[Edit]:
    """Name every edit, in a fixed order; making the books is what takes time."""
    for article in book.articles.values():
        for edit, changed in _of_article(article):
            yield Edit(f"{article.article_id}: {edit}", article=changed)
    for fact in book.facts.values():
        for edit, fact_changed in _of_fact(fact):
            yield Edit(f"{fact.fact_id}: {edit}", fact=fact_changed)
    for index, pair in enumerate(book.impossible):
        rest = (*book.impossible[:index], *book.impossible[index + 1 :])
        yield Edit(f"impossible: drop [{pair[0]}, {pair[1]}]", impossible=rest)


def mutants(book: Rulebook) -> Iterator[Mutant]:
    """Make every one-edit mutant, in a fixed order."""
    return (one.of(book) for one in edits(book))


def _validate(book: Rulebook) -> None:
    follows = closure(book.impossible)
    if never_true(follows) or any(both_by_default(pair, book.facts, follows) for pair in book.impossible):
        raise Unreadable([Problem(1, 1, "impossible pairs")])


def _of_article(article: Article) -> Iterator[tuple[str, Article]]:  # noqa: C901 - a list of edits
    change = msgspec.structs.replace
    for index, literal in enumerate(article.when):
        rest = (*article.when[:index], *article.when[index + 1 :])
        if rest:
            yield f"drop when {literal}", change(article, when=rest)
        turned = (*article.when[:index], literal.denied, *article.when[index + 1 :])
        yield f"deny when {literal}", change(article, when=turned)
    for index, literal in enumerate(article.unless):
        rest = (*article.unless[:index], *article.unless[index + 1 :])
        yield f"drop unless {literal}", change(article, unless=rest)
        turned = (*article.unless[:index], literal.denied, *article.unless[index + 1 :])
        yield f"deny unless {literal}", change(article, unless=turned)
    for index, override in enumerate(article.overrides):
        rest_of = (*article.overrides[:index], *article.overrides[index + 1 :])
        yield f"drop override {override.target}", change(article, overrides=rest_of)
    if len(article.claims) > 1:
        for claim in article.claims:
            rest_claims = tuple(name for name in article.claims if name != claim)
            yield f"drop claim {claim}", change(article, claims=rest_claims)
    for issue, value in article.values.items():
        for edit, other in _of_value(value):
            yield f"{issue}: {edit}", change(article, values={**article.values, issue: other})
        if len(article.values) > 1:
            fewer = {name: one for name, one in article.values.items() if name is not issue}
            if issue is not Issue.RESPONSIBLE or not _by_fault(article):
                yield f"drop {issue}", change(article, values=fewer)


def _by_fault(article: Article) -> bool:
    price = article.values.get(Issue.PRICE)
    return isinstance(price, Price) and price.base is Base.FAULT


def _of_value(value: Value) -> Iterator[tuple[str, Value]]:  # noqa: C901, PLR0912 - a list of edits
    change = msgspec.structs.replace
    match value:
        case Price():
            deny = Price(Outcome.DENY)
            full = Price(Outcome.FULL_REFUND, Base.FULL, remedy=(Remedy.REFUND,))
            for other in (deny, full):
                if other != value:
                    yield f"{other.outcome}", other
            if value.base is Base.SHARE:
                for share in (value.share - 10, value.share + 10):
                    if 0 < share < 100:  # noqa: PLR2004 - percent
                        yield f"share {share}", change(value, share=share)
            if value.low is not None:
                yield "no range", change(value, low=None, high=None)
            if len(value.remedy) > 1:
                yield "one remedy", change(value, remedy=value.remedy[:1])
        case Shares():
            swapped = Shares(value.merchant, value.buyer, value.platform)
            if swapped != value:
                yield "swap buyer and merchant", swapped
            if value.platform or value.merchant:
                yield "swap merchant and platform", Shares(value.buyer, value.platform, value.merchant)
        case Damages():
            if value.parts:
                yield "none", Damages()
            for index, part in enumerate(value.parts):
                if part.times:
                    more = change(part, times=part.times + 1)
                    yield "one more", Damages((*value.parts[:index], more, *value.parts[index + 1 :]))
        case Payer():
            yield f"not {value.who}", change(value, who=_SWAP.get(value.who, Party.MERCHANT))


def _of_fact(fact: Fact) -> Iterator[tuple[str, Fact]]:
    change = msgspec.structs.replace
    if fact.if_unknown is not None:
        yield "other default", change(fact, if_unknown=not fact.if_unknown)
        return
    yield f"burden on {_SWAP[fact.burden]}", change(fact, burden=_SWAP[fact.burden])
    for index in range(len(fact.shifts)):
        yield f"drop shift {index + 1}", change(fact, shifts=(*fact.shifts[:index], *fact.shifts[index + 1 :]))
