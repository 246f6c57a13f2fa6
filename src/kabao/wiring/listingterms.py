"""Reads a listing's words with the terms checker, beside what its structured terms say; the shops know of neither."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from kabao.cases.clauses.documents import FIELDS, LABELS, documents_of
from kabao.shops import ListingDraft, TermsFault
from kabao.terms import Finding, FindingClass, Spot, check

MOST: Final = 20
"""Faults that are told at once: a text that repeats itself a thousand times needs no thousand sentences."""
NOTE: Final = re.compile(r"^（[^）]*）")
"""What a rewrite tells the shop beside the words it gives."""
TO_DO: Final = ("写明", "写清", "只写", "只保留")
"""How a rewrite begins that gives no words of its own."""
PAUSES: Final = tuple("。，；！？、,;!?")
"""After the words that are replaced, any of these ends the sentence already."""
BLANK: Final = re.compile(
    r"(?<![\s_])_{3,}|_{3,}(?![\s_]|$)|(?<![A-Za-z0-9])[Xx×](?P<unit>个工作日|个月|分钟|小时|日|天|周|年|元|次|点|%|％)"
)
PART: Final = re.compile(r"[\s，。；：,;:]")
TO_FILL: Final = {
    "个工作日": "填几个工作日", "个月": "填几个月", "分钟": "填几分钟", "小时": "填几小时", "日": "填几日",
    "天": "填几天", "周": "填几周", "年": "填几年", "元": "填多少元", "次": "填几次", "点": "填几点",
    "%": "填百分之几", "％": "填百分之几",
}  # fmt: skip
"""What stands in place of a blank, by the unit behind it."""
BEFORE_BLANK: Final = 8
"""Characters shown before a blank, so that it can be told from others."""


def faults_in(draft: ListingDraft) -> Sequence[TermsFault]:
    """Say what is wrong in the free texts, each by itself and against the structured terms, what blocks first."""
    texts = draft.texts
    found = check(documents_of(texts, draft.terms), clause=True, waivers=False).findings
    faults: dict[tuple[str, str], TermsFault] = {}
    for fault in chain((fault for finding in found if (fault := _fault(finding, texts))), _blanks(texts)):
        faults.setdefault((fault.field, fault.sentence), fault)
    return sorted(faults.values(), key=lambda fault: (not fault.blocks, FIELDS.index(fault.field)))[:MOST]


def _fault(finding: Finding, texts: dict[str, str]) -> TermsFault | None:
    """Tell a finding of its field; None where it stands in the structured terms alone."""
    first = Spot(finding.words, finding.line, finding.start, finding.end, finding.document)
    free = [spot for spot in (first, *finding.other) if spot.document < len(FIELDS)]
    if not free:
        return None
    spot = free[0]
    field = FIELDS[spot.document]
    if finding.kind is FindingClass.CONFLICT:
        beside = [other.words for other in finding.other if other.document == len(FIELDS)]
        beside += [] if first.document < len(FIELDS) else [first.words]
        against = f"上面填的退款条件「{beside[0]}」" if beside else f"「{free[-1].words}」"
        sentence, blocks = f"「{spot.words}」和{against}对不上，改成一样的。", bool(beside)
    else:
        is_void, against = finding.kind is FindingClass.VOID, ""
        said = "依法应属无效：" if is_void and finding.is_sure else "："
        sentence = f"「{spot.words}」{said}{finding.why}可以改成：{finding.rewrite}"
        blocks = is_void and finding.is_sure
    shift = len(LABELS.get(field, ""))
    start, end = max(0, spot.start - shift), max(0, spot.end - shift)
    return TermsFault(
        field=field,
        sentence=sentence,
        blocks=blocks,
        kind=finding.kind.value,
        id=finding.id,
        title=finding.title,
        why=finding.why,
        law=finding.law,
        line=spot.line,
        start=start,
        end=end,
        words=texts[field][start:end],
        against=against,
        advice=finding.rewrite,
        rewrite=None
        if finding.kind is FindingClass.CONFLICT
        else _in_place(finding.rewrite, texts[field][end : end + 1]),
    )


def _in_place(rewrite: str, after: str) -> str | None:
    """Return the words that may take the place of others; None where the rewrite only says what to write."""
    note, words = NOTE.match(rewrite), NOTE.sub("", rewrite)
    if words.startswith(TO_DO):
        return "" if note and "删去" in note[0] else None
    return words.rstrip("。") if after in PAUSES else words


def _blanks(texts: dict[str, str]) -> Iterator[TermsFault]:
    """Find what a rewrite leaves for the shop to fill in; a buyer can make nothing of it."""
    for field, text in texts.items():
        for found in BLANK.finditer(text):
            before = PART.split(text[max(0, found.start() - BEFORE_BLANK) : found.start()])[-1]
            to_fill = TO_FILL.get(found["unit"] or "", "写上具体内容")
            yield TermsFault(
                field=field,
                sentence=f"「{before}{found[0]}」是还没填的空，{to_fill}。",
                blocks=True,
                kind=FindingClass.VAGUE.value,
                id="BLANK",
                title="还有空没填",
                why=f"这里{to_fill}，买家才知道是多少。没填不能上架。",
                law=(),
                line=text.count("\n", 0, found.start()) + 1,
                start=found.start(),
                end=found.end(),
                words=found[0],
                against="",
                advice="",
                rewrite=None,
            )
