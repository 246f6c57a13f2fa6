"""How well the terms checker reads: precision and recall over a labelled corpus, and its work per megabyte."""

import gc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import Any, Final, NamedTuple

import msgspec
from ruamel.yaml import YAML

from kabao.terms import Document, Finding, Kind, Spot, check

CLASSES: Final = ("VOID", "VAGUE", "HURDLE", "CONFLICT")
HALVES: Final = ("development", "test", "blind")
BARS: Final = {"VOID": (0.95, 0.90), "CONFLICT": (0.90, 0.85), "VAGUE": (0.90, 0.85)}
LOOK_ALIKE_BAR: Final = 0.02
MEGABYTE: Final = 1_000_000
MOST_TIMES: Final = 100
"""How often a small corpus is repeated: its seconds are then those of less than a megabyte, scaled."""


class Label(msgspec.Struct, rename={"kind": "class"}, forbid_unknown_fields=True):
    """What a clause deserves."""

    kind: str
    id: str


class Clause(msgspec.Struct, forbid_unknown_fields=True):
    """A clause of the corpus; see tests/terms/README.md."""

    text: str
    labels: list[Label]
    looks_like: str = ""
    note: str = ""
    name: str = ""
    role: str = ""


class Pair(msgspec.Struct, forbid_unknown_fields=True):
    """Two clauses that contradict each other."""

    between: tuple[str, str]
    topic: str


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """A document of the corpus."""

    title: str
    kind: str
    clauses: list[Clause]
    conflicts: list[Pair] = []
    apart: bool = False


class Placed(NamedTuple):
    """A clause with its place in the text that was checked."""

    clause: Clause
    document: int
    start: int
    end: int


class Miss(NamedTuple):
    """Something found that is not labelled, or labelled and not found."""

    what: str
    kind: str
    id: str
    text: str


class Tally(msgspec.Struct):
    """Counts of one half."""

    found: Counter[str] = msgspec.field(default_factory=Counter)
    missed: Counter[str] = msgspec.field(default_factory=Counter)
    false: Counter[str] = msgspec.field(default_factory=Counter)
    right_id: int = 0
    look_alikes: int = 0
    look_alikes_void: int = 0
    clauses: int = 0
    misses: list[Miss] = []


def read_samples(folder: Path) -> Iterator[Sample]:
    """Read a half of the corpus; raises msgspec.ValidationError where a document is not as the README says."""
    for path in sorted(folder.glob("*.yaml")):
        yield msgspec.convert(YAML(typ="safe").load(path.read_text(encoding="utf-8")), Sample)


def judge(sample: Sample, tally: Tally) -> None:
    """Check a document as its readers would see it, and count; clauses that stand apart are documents each."""
    if sample.apart:
        for clause in sample.clauses:
            judge(Sample(sample.title, clause.role or sample.kind, [clause]), tally)
        return
    texts: dict[str, list[str]] = {sample.kind: []}
    placed: list[Placed] = []
    for clause in sample.clauses:
        role = clause.role or sample.kind
        lines = texts.setdefault(role, [])
        start = sum(len(line) + 1 for line in lines)
        lines.append(clause.text)
        placed.append(Placed(clause, list(texts).index(role), start, start + len(clause.text)))
    documents = [Document("\n".join(lines), Kind(role)) for role, lines in texts.items()]
    findings = check(documents, clause=True).findings
    for place in placed:
        _judge_clause(place, findings, tally)
    _judge_false(placed, findings, tally)
    _judge_conflicts(sample, placed, findings, tally)


def _touches(finding: Finding | Spot, place: Placed) -> bool:
    return finding.document == place.document and finding.start < place.end and place.start < finding.end


def _judge_clause(place: Placed, findings: tuple[Finding, ...], tally: Tally) -> None:
    tally.clauses += 1
    here = [finding for finding in findings if _touches(finding, place)]
    for label in {label.kind: label for label in place.clause.labels}.values():
        same = [finding for finding in here if finding.kind == label.kind]
        if same:
            tally.found[label.kind] += 1
            tally.right_id += any(finding.id == label.id for finding in same)
        else:
            tally.missed[label.kind] += 1
            tally.misses.append(Miss("missed", label.kind, label.id, place.clause.text))
    if not place.clause.labels and place.clause.looks_like:
        tally.look_alikes += 1
        tally.look_alikes_void += any(finding.kind == "VOID" for finding in here)


def _judge_false(placed: list[Placed], findings: tuple[Finding, ...], tally: Tally) -> None:
    seen: set[tuple[int, str]] = set()
    for finding in findings:
        if finding.kind in {"CONFLICT", "MISSING"}:
            continue
        touched = [(number, place) for number, place in enumerate(placed) if _touches(finding, place)]
        if any(label.kind == finding.kind for _, place in touched for label in place.clause.labels):
            continue
        for number, place in touched:
            if (number, finding.kind) not in seen:
                seen.add((number, finding.kind))
                tally.false[finding.kind] += 1
                tally.misses.append(Miss("false", finding.kind, finding.id, place.clause.text))


def _judge_conflicts(sample: Sample, placed: list[Placed], findings: tuple[Finding, ...], tally: Tally) -> None:
    wanted = {frozenset(pair.between): pair for pair in sample.conflicts}
    told: dict[frozenset[int], str] = {}
    for finding in findings:
        if finding.kind == "CONFLICT":
            spots: tuple[Finding | Spot, ...] = (finding, *finding.other)
            numbers = frozenset(number for number, place in enumerate(placed) if any(_touches(s, place) for s in spots))
            told[numbers] = finding.topic
    names = [place.clause.name for place in placed]
    hit = set()
    for numbers, topic in told.items():
        pairs = [pair for pair in wanted if pair <= {names[number] for number in numbers}]
        hit.update(pairs)
        if not pairs:
            tally.false["CONFLICT"] += 1
            tally.misses.append(
                Miss("false", "CONFLICT", topic, " / ".join(placed[number].clause.text for number in sorted(numbers)))
            )
    tally.found["CONFLICT"] += len(hit)
    for pair, wish in wanted.items():
        if pair not in hit:
            tally.missed["CONFLICT"] += 1
            texts = [place.clause.text for place in placed if place.clause.name in pair]
            tally.misses.append(Miss("missed", "CONFLICT", wish.topic, " / ".join(texts)))


def figures(tally: Tally) -> dict[str, Any]:
    """Return precision and recall by class, in thousandths rounded."""
    told: dict[str, Any] = {"clauses": tally.clauses}
    for kind in CLASSES:
        found, missed, false = tally.found[kind], tally.missed[kind], tally.false[kind]
        told[kind] = {
            "labelled": found + missed,
            "precision": round(found / (found + false), 3) if found + false else None,
            "recall": round(found / (found + missed), 3) if found + missed else None,
        }
    every = sum(tally.found[kind] for kind in ("VOID", "VAGUE", "HURDLE"))
    told["right_id"] = round(tally.right_id / every, 3) if every else None
    told["look_alikes"] = tally.look_alikes
    told["look_alikes_void"] = round(tally.look_alikes_void / tally.look_alikes, 3) if tally.look_alikes else 0.0
    return told


def bench_terms(folder: Path) -> dict[str, Any]:
    """Judge the parts of a corpus and time the checker on a megabyte of its own clauses."""
    told: dict[str, Any] = {}
    clauses: list[str] = []
    for half in HALVES:
        tally = Tally()
        for sample in read_samples(folder / half):
            judge(sample, tally)
            clauses += [clause.text for clause in sample.clauses]
        told[half] = figures(tally)
    told["passed"] = passed(told["test"])
    if clauses:
        text = "\n".join(clauses) + "\n"
        size = min(MEGABYTE, MOST_TIMES * len(text.encode()))
        text = text * (1 + size // len(text.encode()))
        gc.disable()  # as the command does
        began = process_time()
        check([Document(text.encode()[:size].decode(errors="ignore"))])
        told["seconds_per_megabyte"] = round((process_time() - began) * MEGABYTE / size, 2)
        gc.enable()
    return told


def passed(half: dict[str, Any]) -> bool:
    """Whether a half reaches every bar."""
    if half["look_alikes_void"] > LOOK_ALIKE_BAR:
        return False
    for kind, (precision, recall) in BARS.items():
        if (half[kind]["precision"] or 0) < precision or (half[kind]["recall"] or 0) < recall:
            return False
    return True
