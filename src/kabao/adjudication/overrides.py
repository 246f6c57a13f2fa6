"""Which article defeats which on each issue: as written, and by the rank of their sources. Cycles are refused."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from kabao.adjudication.fields import nearest
from kabao.adjudication.model import Article, Issue, Override, Problem, Source, Unreadable

_RANK: Final = {source: rank for rank, source in enumerate(Source)}


class OverrideCycle(Unreadable):
    """Overrides go round in a circle, so that nobody can say who defeats whom."""


Edges = dict[Issue, dict[str, tuple[str, ...]]]


def beaten_by(articles: Mapping[str, Article], chapters: Mapping[str, object]) -> Edges:
    """Return for each issue and article the articles that defeat it, in the order of the file."""
    beats: dict[Issue, dict[str, list[str]]] = {issue: {} for issue in Issue}
    problems: list[Problem] = []
    for article in articles.values():
        for override in article.overrides:
            try:
                _express(article, override, articles, chapters, beats)
            except Unreadable as error:
                problems.extend(error.problems)
    if problems:
        raise Unreadable(problems)
    for issue in Issue:
        _by_source(issue, articles, beats[issue])
    order = list(articles)
    edges: Edges = {issue: {} for issue in Issue}
    for issue in Issue:
        losers: dict[str, list[str]] = {}
        for winner in order:
            for loser in beats[issue].get(winner, ()):
                losers.setdefault(loser, []).append(winner)
        edges[issue] = {loser: tuple(winners) for loser, winners in losers.items()}
        _refuse_cycles(issue, edges[issue], articles)
    return edges


def _express(  # noqa: C901, PLR0912 - each way to name a target, in order
    article: Article,
    override: Override,
    articles: Mapping[str, Article],
    chapters: Mapping[str, object],
    beats: dict[Issue, dict[str, list[str]]],
) -> None:
    def refuse(message: str, hint: str = "") -> Unreadable:
        return Unreadable([Problem(override.line, override.column, message, hint)])

    target = override.target
    named = False
    if target == "all":
        losers = [a for a in articles.values() if a.chapter != article.chapter]
    elif target.startswith("chapter/"):
        name = target.removeprefix("chapter/")
        if name not in chapters:
            raise refuse(f"the chapter {name} is not declared", nearest(name, chapters))
        losers = [a for a in articles.values() if a.chapter == name and a is not article]
    elif target in articles:
        losers, named = [articles[target]], True
    else:
        raise refuse(f"there is no article {target}", nearest(target, articles))
    if named and losers[0] is article:
        raise refuse("an article cannot override itself")
    if override.issue is not None and override.issue not in article.values:
        raise refuse(f"this article does not decide {override.issue}")
    issues = [override.issue] if override.issue else list(article.values)
    if named and not any(issue in losers[0].values for issue in issues):
        raise refuse(f"{target} decides none of the issues of this article")
    for loser in losers:
        if _RANK[loser.source] < _RANK[article.source] and loser.mandatory:
            if named:
                raise refuse(
                    f"a {article.source} article cannot override the mandatory {target}",
                    "say mandatory: false there if the law leaves it open",
                )
            continue
        for issue in issues:
            if issue in loser.values and loser.article_id not in beats[issue].get(article.article_id, ()):
                beats[issue].setdefault(article.article_id, []).append(loser.article_id)


def _by_source(issue: Issue, articles: Mapping[str, Article], beats: dict[str, list[str]]) -> None:
    here = [article for article in articles.values() if issue in article.values]
    express = {winner: set(losers) for winner, losers in beats.items()}
    for high in here:
        for low in here:
            if (
                _RANK[high.source] < _RANK[low.source]
                and high.values[issue] != low.values[issue]
                and not set(high.claims).isdisjoint(low.claims)
                and high.article_id not in express.get(low.article_id, ())
                and low.article_id not in express.get(high.article_id, ())
            ):
                beats.setdefault(high.article_id, []).append(low.article_id)


def _refuse_cycles(issue: Issue, edges: Mapping[str, tuple[str, ...]], articles: Mapping[str, Article]) -> None:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        cycle = error.args[1]
        first = articles[cycle[0]]
        path = " → ".join(reversed(cycle))
        message = f"overrides go round on {issue}: {path}"
        hint = "a law article also defeats lower ones whose value differs" if len(_sources(cycle, articles)) > 1 else ""
        raise OverrideCycle([Problem(first.line, 1, message, hint)]) from None


def _sources(cycle: list[str], articles: Mapping[str, Article]) -> set[Source]:
    return {articles[name].source for name in cycle}
