"""Part a plain text into paragraphs, headings, list items and sentences. No meaning is read here."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

NUMBERING: Final = re.compile(
    r"[ \t>|]*(?:"
    r"第[零一二三四五六七八九十百\d]{1,5}[条章节款项编部分]"
    r"|\([零一二三四五六七八九十\d]{1,3}\)|[①-⑳⑴-⒇❶-❿➀-➓]|\[\d{1,3}\]"
    r"|\d{1,2}(?:\.\d{1,2}){1,4}[.、:]?(?!\d)|\d{1,3}[.、):](?!\d)|[零一二三四五六七八九十]{1,3}[、.:)]"
    r"|[-•●◆◇★☆■□▪▶►·※○◎*+✦✧➤➢👉🔸🔹✅☑✔📌⚠❗‼💡🔔📢]+"
    r"|[a-z][.)](?=\s)"
    r")[ \t,]*"
)
ITEM_MARK: Final = re.compile(
    r"^[ \t>|]*(?:\(|[①-⑳⑴-⒇❶-❿]|\d{1,3}[.、):]|\d{1,2}(?:\.\d{1,2}){1,4}|[-•●◆★*·○+]|[a-z][.)])"
)
CHAPTER: Final = re.compile(
    r"^[ \t]*(?:第[零一二三四五六七八九十百\d]{1,5}[章节编部]|[零一二三四五六七八九十]{1,3}、|【|\[)"
)
SENTENCE_END: Final = re.compile(r":(?=\s*(?:\([一1]\)|①|1[.、]))|[。;!?…]+[”\")]?|\.(?=\s|$)(?<![0-9]\.)")
MATTER: Final = re.compile(
    "(?:时间|时效|说明|须知|规则|政策|标准|问题|条款|声明|公告|通知|方式|流程|范围|制度|办法|速度|排队|的处理|的安排)$"
)
MARKS: Final = re.compile("[,。;:!?]")
NUMBERED_BEFORE: Final = re.compile(r"[\n.、):\]\s]$")
LONGEST_SENTENCE: Final = 600
LONGEST_HEADING: Final = 24
WRAPPED_FROM: Final = 24
LEAST_WRAPPED: Final = 3
SPARE: Final = 3
LINE_MARKS: Final = frozenset("。；！？：;!?:.")


class Stretch(NamedTuple):
    """A sentence to be read: where it stands, with whom, below which heading, and whether a list follows it."""

    start: int
    end: int
    paragraph: int
    heading: tuple[int, int] | None
    is_intro: bool
    is_item: bool


class Line(NamedTuple):
    """A line of plain text without its numbering."""

    start: int
    body: int
    end: int
    stop: int
    numbered: bool


def lines(text: str) -> Iterator[Line]:
    """Yield the lines that hold something."""
    position = 0
    while position <= len(text):
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        if text[position:end].strip():
            yield _line(text, position, end)
        position = end + 1


def wrapped_ends(text: str) -> list[int]:
    """Return where lines end only because the page did: full lines without a mark, before one that has no number."""
    width = _width(text)
    if not width:
        return []
    ends = []
    held: Line | None = None
    for line in lines(text):
        if (
            held
            and line.start == held.stop + 1
            and not line.numbered
            and held.stop - held.start >= width - SPARE
            and text[held.end - 1] not in LINE_MARKS
        ):
            ends.append(held.stop)
        held = line
    return ends


def _line(text: str, start: int, end: int) -> Line:
    stop = end
    numbering = NUMBERING.match(text, start, end)
    body = numbering.end() if numbering else start
    while body < end and text[body] in " \t|>":
        body += 1
    while end > body and text[end - 1] in " \t\r|":
        end -= 1
    return Line(start, body, end, stop, numbering is not None)


def _width(text: str) -> int:
    """Return the width at which a page broke its lines, or 0 where it did not."""
    lengths = sorted(len(line) for line in text.splitlines() if line.strip())
    if len(lengths) < LEAST_WRAPPED:
        return 0
    longest = lengths[-max(1, len(lengths) // 20)]
    near = sum(longest - SPARE <= length <= longest + SPARE for length in lengths)
    return longest if longest >= WRAPPED_FROM and near >= max(LEAST_WRAPPED, len(lengths) // 5) else 0


def stretches(text: str) -> Iterator[Stretch]:
    """Yield the sentences of a document in order."""
    heading: tuple[int, int] | None = None
    paragraph = 0
    for line in lines(text):
        if line.body >= line.end:
            continue
        paragraph += 1
        if _is_heading(text, line):
            heading = (line.body, line.end)
        is_item = _is_item(text, line.start)
        parts = list(_sentences(text, line.body, line.end))
        for number, (start, end) in enumerate(parts, 1):
            is_intro = text[end - 1] == ":" and (number == len(parts) or _is_item(text, parts[number][0]))
            yield Stretch(start, end, paragraph, heading, is_intro, is_item if number == 1 else _is_item(text, start))


def _is_item(text: str, start: int) -> bool:
    return bool(ITEM_MARK.match(text[start : start + 12]))


def _is_heading(text: str, line: Line) -> bool:
    body = text[line.body : line.end]
    if len(body) > LONGEST_HEADING or any(mark in body for mark in ",。;!?"):
        return False
    return bool(CHAPTER.match(text[line.start : line.start + 8])) or text[line.start : line.start + 1] == "#"


def names_matter(text: str, start: int, end: int) -> bool:
    """Whether a short line ends like a heading and holds no mark: 发货时间及延迟说明."""
    body = text[start:end].rstrip()
    is_line = (start == 0 or NUMBERED_BEFORE.search(text, max(0, start - 12), start) is not None) and (
        end >= len(text) or text[end] in "\r\n"
    )
    return is_line and len(body) <= LONGEST_HEADING and MATTER.search(body) is not None and not MARKS.search(body)


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    position = start
    for found in SENTENCE_END.finditer(text, start, end):
        if found.end() - position > 1 and text[position : found.end()].strip():
            yield from _short(position, found.end())
            position = found.end()
    if text[position:end].strip():
        yield from _short(position, end)


def _short(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut what nobody would call a sentence, so that the work stays in step with the length."""
    while end - start > LONGEST_SENTENCE:
        yield start, start + LONGEST_SENTENCE
        start += LONGEST_SENTENCE
    yield start, end
