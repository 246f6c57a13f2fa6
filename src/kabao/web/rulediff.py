"""What two versions of the rules say differently: articles side by side, then numbers and burdens."""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from kabao.adjudication.model import Fact, Named, Rulebook
from kabao.adjudication.reasons import PARTIES
from kabao.web.rulewords import LABELS, ArticleWords, article_words

UNITS = {"hours": "小时", "days": "天", "minor": "分", "percent": "%", "times": "倍", "count": "个"}


class Side(msgspec.Struct, frozen=True):
    """One thing an article says, before and after."""

    label: str
    before: str
    after: str


class Changed(msgspec.Struct, frozen=True):
    """An article that both versions have and that reads or works otherwise."""

    article: ArticleWords
    sides: list[Side]


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that differs; ``numbers`` are windows, thresholds, standards and burdens of proof."""

    added: list[ArticleWords]
    removed: list[ArticleWords]
    changed: list[Changed]
    numbers: list[Side]

    @property
    def empty(self) -> bool:
        """Tell whether nothing differs that a reader would see."""
        return not (self.added or self.removed or self.changed or self.numbers)


def compared(old: Rulebook, new: Rulebook) -> Compared:
    """Compare two versions in their Chinese words; an article is the same one where its id is."""
    before = {name: article_words(old, one, "zh") for name, one in old.articles.items()}
    after = {name: article_words(new, one, "zh") for name, one in new.articles.items()}
    changed = [
        Changed(words, sides)
        for name, words in after.items()
        if name in before and (sides := list(_sides(before[name], words)))
    ]
    return Compared(
        added=_by_number(words for name, words in after.items() if name not in before),
        removed=_by_number(words for name, words in before.items() if name not in after),
        changed=sorted(changed, key=lambda one: one.article.number),
        numbers=[
            *_numbers(old.parameters, new.parameters),
            *_numbers(old.standards, new.standards),
            *_numbers(old.evidence_kinds, new.evidence_kinds),
            *_burdens(old.facts, new.facts),
        ],
    )


def _by_number(articles: Iterable[ArticleWords]) -> list[ArticleWords]:
    return sorted(articles, key=lambda one: one.number)


def _sides(before: ArticleWords, after: ArticleWords) -> Iterator[Side]:
    told = (_told(before), _told(after))
    for label in told[1]:
        if told[0][label] != told[1][label]:
            yield Side(label, told[0][label], told[1][label])


def _told(words: ArticleWords) -> dict[str, str]:
    return {
        "条号": words.heading,
        "标题": words.title,
        "内容": words.message,
        "来源": words.source,
        LABELS["claims"].zh: words.claims,
        LABELS["when"].zh: _conditions(words.when),
        LABELS["unless"].zh: _conditions(words.unless),
        LABELS["outcome"].zh: "；".join(f"{issue}：{said}" for issue, said in words.follows),
        LABELS["yields"].zh: "、".join(f"第 {number} 条" for number in words.yields),
        LABELS["law"].zh: "；".join(one.name for one in words.law),
        LABELS["examples"].zh: "；".join(words.examples),
    }


def _conditions(conditions: list[tuple[bool, str]]) -> str:
    return "；".join(said if holds else f"不成立：{said}" for holds, said in conditions)


def _numbers(old: Mapping[str, Named], new: Mapping[str, Named]) -> Iterator[Side]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        told = (_number(before), _number(after))
        if told[0] != told[1]:
            yield Side((after or old[name]).label.zh, *told)


def _number(named: Named | None) -> str:
    return "没有" if named is None else f"{named.value} {UNITS.get(named.unit, '%')}"


def _burdens(old: Mapping[str, Fact], new: Mapping[str, Fact]) -> Iterator[Side]:
    for name in {**old, **new}:
        before, after = old.get(name), new.get(name)
        told = (_burden(before), _burden(after))
        if told[0] != told[1]:
            yield Side(f"“{(after or old[name]).label.zh}”由谁举证", *told)


def _burden(fact: Fact | None) -> str:
    return "没有这个事实" if fact is None else PARTIES[fact.burden].zh
