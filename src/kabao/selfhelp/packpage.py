"""The paper of a purchase made elsewhere as a page inside the pack: any browser reads it, with nothing from outside."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Final

from kabao.paper import PaperSection, StoryPaper
from kabao.selfhelp.model import Language

STYLE: Final = """
:root { --bg: #f4f6f8; --card: #fff; --ink: #1d2733; --muted: #5b6672; --line: #dfe4e9; --brand: #0f5e9c }
@media (prefers-color-scheme: dark) {
  :root { --bg: #11161c; --card: #1a2129; --ink: #e6ebf0; --muted: #9aa7b4; --line: #2d3742; --brand: #6db3ea }
}
body { margin: 0; background: var(--bg); color: var(--ink); font: 16px/1.65 system-ui, sans-serif }
body { overflow-wrap: anywhere }
main { max-width: 760px; margin: 0 auto; padding: 16px }
h1 { font-size: 22px; line-height: 1.35 }
h2 { font-size: 17px; margin: 0 0 10px }
section { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 16px; margin: 14px 0 }
a { color: var(--brand) }
p { margin: 6px 0 }
ol, ul { margin: 0; padding: 0; list-style: none }
li + li { border-top: 1px solid var(--line); margin-top: 10px; padding-top: 10px }
.said { white-space: pre-wrap }
.muted { color: var(--muted); font-size: 14px }
code { font-size: 12.5px; word-break: break-all }
img { display: block; max-width: 100%; max-height: 340px; margin: 8px 0 }
"""
POLICY: Final = (
    "default-src 'none'; img-src 'self' file: data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'"
)
PICTURES: Final = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif")


def page_of(paper: StoryPaper, language: Language, items: Mapping[int, str], documents: Sequence[str]) -> bytes:
    """Write the page; `items` are the files of items that are in the pack, by number, `documents` the other files."""
    zh = language is Language.ZH
    title, lang = escape(paper.title), "zh-CN" if zh else "en"
    head = (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
    )
    body = "".join(_parts(paper, items, opened="打开" if zh else "Open"))
    files = "".join(f'<li><a href="{escape(one)}">{escape(one)}</a></li>' for one in documents)
    check = (
        "怎样核对：见 VERIFY.txt。本页只供阅读。" if zh else "How to check: VERIFY.txt. This page is for reading only."
    )
    foot = f'<p class="muted">{escape(paper.foot)}</p>\n<p class="muted">{check}</p>'
    named = "文件" if zh else "Files"
    end = f"<section><h2>{named}</h2>\n<ul>{files}</ul></section>\n{foot}\n</main>\n</body>\n</html>\n"
    return f'{head}<p class="muted">{escape(paper.subtitle)}</p>\n{body}{end}'.encode()


def _parts(paper: StoryPaper, items: Mapping[int, str], *, opened: str) -> Iterator[str]:
    yield from map(_section, paper.before)
    if paper.timeline:
        lines = "".join(
            f'<li><span class="muted">{escape(" · ".join(part for part in (one.at, one.who) if part))}</span>'
            f"<p>{escape(one.text)}</p>{_said(one.said)}</li>"
            for one in paper.timeline
        )
        yield f"<section><h2>{escape(paper.timeline_title)}</h2>\n<ol>{lines}</ol></section>\n"
    if paper.items:
        listed = "".join(
            f'<li><b>{one.no}</b> {escape(one.name)}<p class="muted">{escape(one.about)}</p>'
            f"{_said(one.note)}{_file(items.get(one.no, ''), one.no, opened)}"
            f"<code>SHA-256 {escape(one.sha256)}</code></li>"
            for one in paper.items
        )
        yield f"<section><h2>{escape(paper.items_title)}</h2>\n<ul>{listed}</ul></section>\n"
    yield from map(_section, paper.after)


def _section(one: PaperSection) -> str:
    facts = "".join(
        f'<p>{f"""<span class="muted">{escape(fact.label)}</span> """ if fact.label else ""}{escape(fact.text)}</p>'
        for fact in one.facts
    )
    return f"<section><h2>{escape(one.title)}</h2>\n{facts}{_said(one.said)}</section>\n"


def _said(text: str) -> str:
    return f'<p class="said">{escape(text)}</p>' if text else ""


def _file(name: str, number: int, opened: str) -> str:
    if not name:
        return ""
    picture = f'<img src="{escape(name)}" alt="{number}">' if name.endswith(PICTURES) else ""
    return f'{picture}<p><a href="{escape(name)}">{opened}</a></p>'
