"""`kabao terms`: void, vague and contradictory clauses of an agreement, a notice, a listing or a chat.

Nothing but the checker is loaded, so that it starts at once and needs no data folder.
"""

import gc
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

terms = App(
    name="terms",
    result_action="return_value",
)

Files = Annotated[
    list[Path] | None, Parameter(help="Another document of this kind, read together with FILE.", negative="")
]


@terms.command(name="check")
def check(
    file: Annotated[Path, Parameter(help="The document: text, Markdown, HTML, PDF or DOCX.")],
    *,
    kind: Annotated[
        Literal["page", "notice", "agreement", "chat"], Parameter(help="What FILE is; it decides what must be in it.")
    ] = "agreement",
    page: Files = None,
    notice: Files = None,
    agreement: Files = None,
    chat: Files = None,
    clause: Annotated[bool, Parameter(negative="", help="FILE is a clause alone; nothing is missing in it.")] = False,
    fail_on: Annotated[
        Literal["any", "high", "medium", "low", "void", "vague", "conflict", "hurdle", "missing", "none"],
        Parameter(name="--fail-on", help="What ends with 1: a severity and all above it, or a class."),
    ] = "any",
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")] = False,
    as_sarif: Annotated[bool, Parameter(name="--sarif", negative="", help="Print SARIF 2.1.0.")] = False,
) -> int:
    """Check a document, alone or against the other documents that bind the same buyer."""
    if as_json and as_sarif:
        sys.stderr.write("terms check: --json and --sarif exclude each other\n")
        return 2
    gc.disable()  # one document, then the end: looking for cycles would take a third of the time
    from kabao.terms import Kind  # noqa: PLC0415  see the top of the file
    from kabao.terms.commands import Source, check_command  # noqa: PLC0415

    others = ((Kind.PAGE, page), (Kind.NOTICE, notice), (Kind.AGREEMENT, agreement), (Kind.CHAT, chat))
    sources = [Source(file, Kind(kind)), *(Source(path, role) for role, paths in others for path in paths or ())]
    said = check_command(sources, as_json=as_json, as_sarif=as_sarif, fail_on=fail_on, clause=clause)
    sys.stdout.write(said.text + "\n")
    return said.code


@terms.command(name="prove")
def prove(
    *, as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")] = False
) -> int:
    """Prove that no structured terms a listing may have demand two outcomes at once; ends with 1 where some do."""
    import msgspec  # noqa: PLC0415  see the top of the file

    from kabao.shops.proof import prove as tried  # noqa: PLC0415  the solver is slow to load

    verdict = tried()
    if as_json:
        sys.stdout.write(msgspec.json.encode(verdict).decode() + "\n")
    else:
        lines = [*verdict.clashes, *(f"{name} 在任何情形下都不会适用" for name in verdict.idle)]
        done = f"{verdict.promises} 项承诺两两对照：店铺能填的任何条款、在任何情形下，都不会要求两种结果。"
        sys.stdout.write("\n".join(lines or [done]) + "\n")
    return 1 if verdict.clashes or verdict.idle else 0
