"""What `kabao terms` prints: for people, as JSON, as SARIF; and with which exit code."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from kabao.terms.check import Document, check
from kabao.terms.model import Finding, FindingClass, Kind, Report, Severity
from kabao.terms.reading import LARGEST_FILE, UnreadableError, measure, read_file
from kabao.terms.sarif import sarif

CLEAN, FOUND, UNREADABLE = 0, 1, 2
ORDER: Final = (Severity.LOW, Severity.MEDIUM, Severity.HIGH)
GIVES: Final = {"yes": "给", "no": "不给", "conditional": "看情形", "silent": "没写"}
SHOWN: Final = {
    "VOID": "依法应属无效",
    "VAGUE": "没说清",
    "CONFLICT": "前后矛盾",
    "HURDLE": "要求过高",
    "MISSING": "缺少",
}
LIKELY_SHOWN: Final = "像无效条款"
"""What a clause is called that is no more than likely void."""
TRICKS: Final = {"zero_width": "零宽字符", "interleaved": "字间插符号", "look_alike": "形近字"}


class Said(NamedTuple):
    """What to print and how to end."""

    text: str
    code: int


class Source(NamedTuple):
    """A file and what kind of text it holds."""

    path: Path
    kind: Kind


def check_command(sources: Sequence[Source], *, as_json: bool, as_sarif: bool, fail_on: str, clause: bool) -> Said:
    """Check files that are read together; a file that cannot be read ends it with its reason and code 2."""
    documents = []
    for source in sources:
        try:
            measure(source.path.stat().st_size)
            with source.path.open("rb") as opened:
                content = read_file(opened.read(LARGEST_FILE + 1), source.path.name)
        except OSError as error:
            return _unreadable(source.path.name, str(error.strerror), as_json=as_json)
        except UnreadableError as error:
            return _unreadable(source.path.name, str(error), as_json=as_json)
        documents.append(Document(content.text, source.kind, source.path.name, content.wrapped))
    report = check(documents, clause=clause)
    code = FOUND if any(_counts(finding, fail_on) for finding in report.findings) else CLEAN
    names = [source.path.name for source in sources]
    if as_sarif:
        log = sarif(report, [quote(source.path.as_posix()) for source in sources])
        return Said(msgspec.json.format(msgspec.json.encode(log), indent=1).decode(), code)
    if as_json:
        return Said(msgspec.json.encode(as_data(report, names)).decode(), code)
    return Said(_told(report, names), code)


def label_of(kind: FindingClass, *, is_sure: bool) -> str:
    """Return what a finding is called; "should be void by law" only where something may rest on it."""
    return SHOWN[kind.value] if is_sure else LIKELY_SHOWN


def as_data(report: Report, names: Sequence[str]) -> dict[str, Any]:
    """Return a report as plain data, with the documents' names."""
    return {**msgspec.to_builtins(report), "documents": list(names)}


def _counts(finding: Finding, fail_on: str) -> bool:
    """Whether a finding makes the command end with 1: by its class, or by a severity and all above."""
    if fail_on == "none":
        return False
    if fail_on == "any":
        return True
    if fail_on.upper() in SHOWN:
        return finding.kind.value == fail_on.upper()
    return ORDER.index(finding.severity) >= ORDER.index(Severity(fail_on))


def _unreadable(name: str, why: str, *, as_json: bool) -> Said:
    if as_json:
        return Said(msgspec.json.encode({"error": why, "file": name}).decode(), UNREADABLE)
    return Said(f"{name}：{why}", UNREADABLE)


def _told(report: Report, names: Sequence[str]) -> str:
    lines = []
    for finding in report.findings:
        place = f"{names[finding.document]}:{finding.line}" if finding.words else names[finding.document]
        lines.append(f"{place} [{label_of(finding.kind, is_sure=finding.is_sure)}] {finding.id} {finding.title}")
        if finding.words:
            lines.append(f"    原文：{finding.words}")
        lines += [
            f"    {'还有' if number else '以此为准'}：{names[spot.document]}:{spot.line} {spot.words}"
            for number, spot in enumerate(finding.other)
        ]
        lines.append(f"    理由：{finding.why}")
        lines.append(f"    依据：{'；'.join(finding.law)}")
        lines.append(f"    可改：{finding.rewrite}")
        if finding.evasion:
            lines.append(f"    避查：{'、'.join(TRICKS[kind] for kind in finding.evasion)}")
    lines += [f"{names[fine.document]}:{fine.line} [没问题] {fine.words}：{fine.reason}" for fine in report.fine]
    lines += [f"已放行 {waived.finding.id}（{waived.finding.words}）：{waived.reason}" for waived in report.waived]
    lines += [
        f"{names[idle.document]}:{idle.line} [放行没有用上] {idle.id}：这一行和下一行没有这一项（{idle.reason}）"
        for idle in report.idle_waivers
    ]
    lines.append("")
    lines += [f"{row.title}：{GIVES[row.gives]}；法律底线：{row.floor}" for row in report.profile.values()]
    lines.append("")
    lines.append(
        f"{report.clauses} 句，{len(report.findings)} 处要看。"
        "只有法院或仲裁机构才能认定条款无效，这里只是提示，不是法律意见。"
    )
    return "\n".join(lines)
