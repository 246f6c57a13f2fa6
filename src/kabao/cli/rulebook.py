"""`kabao rulebook`: reading, checking and comparing the rules by which cases are decided, without a data folder.

The engine and what it stands on are loaded when a command runs; what asks a market lives in modules of its own.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import App, Parameter

from kabao.cli.terminal import ExitCode, JsonOption, notes, print_secret

if TYPE_CHECKING:
    from kabao.adjudication.commands import Said

rulebook = App(name="rulebook")

rulebook.command(
    "kabao.cli.rulebook_market:replay",
    name="replay",
    help=(
        "Decide past cases by both rulebooks: which would end otherwise and what money moves; exits 1 where any would."
    ),
)
rulebook.command(
    "kabao.cli.rulebook_market:publish",
    name="publish",
    help=(
        "Publish a version: it binds after 7 days' notice at the earliest, a major one after 15, and never "
        "changes.\n\n"
        "Works beside a running server. Exits 1 where it is refused, 2 where the file cannot be read."
    ),
)
rulebook.command(
    "kabao.cli.rulebook_market:versions",
    name="versions",
    help=("List the versions that bind, bound or will, and drafts that a newer kabao brought along."),
)
rulebook.command(
    "kabao.cli.proposals:proposals",
    name="proposals",
    help="Proposals to change the rules; nothing is public before `show`.",
)

BookArgument = Annotated[Path | None, Parameter(help="The rulebook file; by default the one that comes with kabao.")]
BooksOption = Annotated[
    Literal["all", "law"],
    Parameter(name="--book", help="`law` decides by the law's articles alone, for purchases made elsewhere."),
]


@rulebook.command(name="check")
def check(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """Check a rulebook: schema, gaps, contradictions, dead articles, duties, citations; each with a small case."""
    from kabao.adjudication.commands import check_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: check_command(file, as_json=as_json))


@rulebook.command(name="decide")
def decide(
    file: Annotated[
        Path, Parameter(help="The rulebook file; `-` for the one that comes with kabao.", allow_leading_hyphen=True)
    ],
    case: Annotated[Path, Parameter(help="The case, YAML or JSON: claim, demand, facts, amounts.")],
    *,
    as_json: JsonOption = False,
    book: BooksOption = "all",
) -> int:
    """Decide a case: who is responsible, what is refunded, by which articles and why, and what evidence is missing."""
    from kabao.adjudication.commands import decide_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: decide_command(book_of(file), case, as_json=as_json, book=book))


@rulebook.command(name="explain")
def explain(
    file: Annotated[
        Path, Parameter(help="The rulebook file; `-` for the one that comes with kabao.", allow_leading_hyphen=True)
    ],
    article: Annotated[str, Parameter(help="The article's id or number.")],
    *,
    as_json: JsonOption = False,
) -> int:
    """Explain one article: when it applies, what it decides, what it yields to, the law behind it."""
    from kabao.adjudication.commands import explain_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: explain_command(book_of(file), article, as_json=as_json))


@rulebook.command(name="diff")
def diff(
    old: Annotated[
        Path,
        Parameter(help="The rulebook as it was; `-` for the one that comes with kabao.", allow_leading_hyphen=True),
    ],
    new: Annotated[Path, Parameter(help="The rulebook as it shall be.")],
    *,
    as_json: JsonOption = False,
) -> int:
    """Compare two rulebooks as cases whose outcome changes; exits 1 where they differ."""
    from kabao.adjudication.commands import diff_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: diff_command(book_of(old), new, as_json=as_json))


@rulebook.command(name="show")
def show(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """Print the articles by chapter, each in a plain sentence."""
    from kabao.adjudication.commands import show_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: show_command(file, as_json=as_json))


@rulebook.command(name="facts")
def facts(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """List every fact and claim with meaning, burden and standard: what is needed to write a case."""
    from kabao.adjudication.commands import facts_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: facts_command(file, as_json=as_json))


@rulebook.command(name="golden")
def golden(
    folder: Annotated[Path, Parameter(help="A folder of golden cases: YAML files as in tests/rulings.")],
    file: BookArgument = None,
    *,
    as_json: JsonOption = False,
) -> int:
    """Decide every golden case of a folder and tell which ends otherwise than it states; then exit 1."""
    from kabao.adjudication.commands import golden_command  # noqa: PLC0415  see the top of the file

    return said_by(lambda: golden_command(file, folder, as_json=as_json))


def book_of(path: Path) -> Path | None:
    """Return the rulebook file that is meant; None is the one that comes with kabao."""
    return None if str(path) == "-" else path


def said_by(work: "Callable[[], Said]") -> int:
    """Print what a command says, as it is; what could not be read goes to standard error unless it is JSON."""
    try:
        said = work()
    except OSError as error:
        notes.print(f"kabao: {error.filename or 'a file'}: {error.strerror}", markup=False)
        return ExitCode.USAGE
    print_secret(said.text)
    return said.code
