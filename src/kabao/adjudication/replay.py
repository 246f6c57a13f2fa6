"""Which past cases would have ended otherwise under another version, and how much money would have moved."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import msgspec
import numpy as np

from kabao.adjudication.amounts import Sums, sums
from kabao.adjudication.batch import CHUNK, BatchDecider, CaseBatch, batch_of, cases_by_claim
from kabao.adjudication.casefile import load_case
from kabao.adjudication.compiler import Compiled, Verdict
from kabao.adjudication.model import Case, Outcome, Problem, Rulebook, Shares, Unreadable
from kabao.adjudication.reasons import yuan

Progress = Callable[[int, int], None]
_SUFFIXES: Final = (".yaml", ".yml", ".json")


class Moved(msgspec.Struct, frozen=True):
    """A case that would end otherwise; money in fen that goes to the buyer (refund and damages)."""

    case_id: str
    claim: str
    merchant: str
    before: Outcome
    after: Outcome
    before_minor: int
    after_minor: int


class Replay(msgspec.Struct, frozen=True):
    """What a replay found; ``moved`` in the order of the cases within each claim."""

    count: int
    moved: tuple[Moved, ...]

    def totals(self, by: str) -> dict[str, tuple[int, int]]:
        """Return per claim or merchant how many cases change and the fen that move to buyers."""
        found: dict[str, tuple[int, int]] = {}
        for one in self.moved:
            name = one.claim if by == "claim" else one.merchant
            count, minor = found.get(name, (0, 0))
            found[name] = (count + 1, minor + one.after_minor - one.before_minor)
        return found


def replay(
    old: Compiled, new: Compiled, cases: Sequence[Case], progress: Progress | None = None, chunk: int = CHUNK
) -> Replay:
    """Decide every case by both versions. A claim that one version does not know counts as NEEDS_PERSON there."""
    moved: list[Moved] = []
    done = 0
    for claim, group in cases_by_claim(cases).items():
        for start in range(0, len(group), chunk):
            some = group[start : start + chunk]
            moved.extend(_compare(old, new, claim, some))
            done += len(some)
            if progress is not None:
                progress(done, len(cases))
    return Replay(len(cases), tuple(moved))


def changed(old: BatchDecider, new: BatchDecider, batches: Iterable[CaseBatch]) -> Iterator[tuple[int, int, int]]:
    """Count, for prepared batches of one claim, cases by their pair of verdict numbers that differ in meaning."""
    for batch in batches:
        before, after = old.decide(batch), new.decide(batch)
        pairs, counts = np.unique(before.astype(np.uint64) << np.uint64(32) | after, return_counts=True)
        for pair, count in zip(pairs.tolist(), counts.tolist(), strict=True):
            if old.verdict(pair >> 32) != new.verdict(pair & 0xFFFFFFFF):
                yield pair >> 32, pair & 0xFFFFFFFF, count


def _compare(old: Compiled, new: Compiled, claim: str, cases: Sequence[Case]) -> Iterator[Moved]:
    sides = [_verdicts(compiled, claim, cases) for compiled in (old, new)]
    for case, before, after in zip(cases, *sides, strict=True):
        if before == after:
            continue
        one, two = _sums(before, case), _sums(after, case)
        if one != two:
            yield Moved(
                case.case_id, claim, case.merchant, one.outcome, two.outcome,
                one.refund_minor + one.damages_minor - one.buyer_pays_minor,
                two.refund_minor + two.damages_minor - two.buyer_pays_minor,
            )  # fmt: skip


def _verdicts(compiled: Compiled, claim: str, cases: Sequence[Case]) -> list[Verdict | None]:
    plan = compiled.plans.get(claim)
    if plan is None:
        return [None] * len(cases)
    decider = BatchDecider(plan)
    batch = batch_of(claim, [(case.known, case.contested) for case in cases])
    return [decider.verdict(number) for number in decider.decide(batch).tolist()]


_NOBODY_KNOWS: Final = Sums(Outcome.NEEDS_PERSON, None, 0, 0, 0, Shares())


def _sums(verdict: Verdict | None, case: Case) -> Sums:
    if verdict is None:
        return _NOBODY_KNOWS
    return sums(verdict.price, verdict.shares, verdict.damages, case.demand, case.amounts, case.chosen_share)


def read_cases(folder: Path, book: Rulebook, progress: Progress | None = None) -> list[Case]:
    """Read every case file of a folder, in the order of names. Raises Unreadable with all faulty files."""
    paths = sorted(path for path in folder.iterdir() if path.suffix in _SUFFIXES)
    found: list[Case] = []
    problems: list[Problem] = []
    for index, path in enumerate(paths, 1):
        try:
            case = load_case(path, book)
        except Unreadable as error:
            problems.extend(one._replace(message=f"{path.name}: {one.message}") for one in error.problems)
            continue
        found.append(case if case.case_id else msgspec.structs.replace(case, case_id=path.stem))
        if progress is not None:
            progress(index, len(paths))
    if problems:
        raise Unreadable(problems, folder.name)
    return found


def as_csv(found: Replay) -> str:
    """Write the cases that move as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["case", "claim", "merchant", "before", "after", "before_minor", "after_minor", "moved_minor"])
    for one in found.moved:
        writer.writerow(
            [_cell(one.case_id), one.claim, _cell(one.merchant), one.before.value, one.after.value,
             one.before_minor, one.after_minor, one.after_minor - one.before_minor]
        )  # fmt: skip
    return out.getvalue()


def _cell(text: str) -> str:
    """Keep a spreadsheet from reading an id as a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text


def as_svg(found: Replay, by: str = "claim") -> str:
    """Draw the fen that would move, one bar per claim or merchant: right of the line to buyers, left of it back."""
    totals = sorted(found.totals(by).items(), key=lambda one: -abs(one[1][1]))[:20]
    most = max((abs(minor) for _, (_, minor) in totals), default=0) or 1
    rows = []
    for index, (name, (count, minor)) in enumerate(totals):
        top = 40 + index * 28
        width = abs(minor) * 180 // most
        left = 380 if minor >= 0 else 380 - width
        colour = "#2f6f4f" if minor >= 0 else "#9a4b2f"
        rows.append(
            f'<text x="8" y="{top + 14}">{escape(name or "—")}</text>'
            f'<rect x="{left}" y="{top}" width="{width}" height="18" fill="{colour}"/>'
            f'<text x="570" y="{top + 14}">{"-" if minor < 0 else "+"}{yuan(abs(minor))} · {count}</text>'
        )
    height = 56 + len(totals) * 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" font-family="sans-serif" font-size="13">'
        f'<text x="8" y="20">{found.count:,} cases, {len(found.moved):,} change; yuan to buyers, cases</text>'
        f'<line x1="380" y1="32" x2="380" y2="{height - 10}" stroke="#888"/>{"".join(rows)}</svg>\n'
    )
