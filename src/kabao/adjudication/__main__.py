"""``python -m kabao.adjudication COMMAND …``: the rulebook commands without the rest of the product."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kabao.adjudication import commands
from kabao.adjudication.commands import Said


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command, print what it says, return its exit code."""
    parser = argparse.ArgumentParser(prog="kabao.adjudication")
    subs = parser.add_subparsers(dest="command", required=True)
    for name, arguments in (
        ("check", ["file"]),
        ("decide", ["file", "case"]),
        ("explain", ["file", "article"]),
        ("diff", ["old", "new"]),
        ("replay", ["old", "new", "cases"]),
        ("show", ["file"]),
        ("facts", ["file"]),
        ("golden", ["file", "folder"]),
        ("bench", ["file"]),
    ):
        sub = subs.add_parser(name)
        sub.add_argument("--json", action="store_true", dest="as_json")
        for argument in arguments:
            sub.add_argument(argument)
        if name == "decide":
            sub.add_argument("--book", choices=["all", "law"], default="all")
    options = parser.parse_args(argv)
    said = _run(options)
    sys.stdout.write(f"{said.text}\n")
    return said.code


def _run(options: argparse.Namespace) -> Said:
    as_json = options.as_json
    one_file: dict[str, Callable[..., Said]] = {
        "check": commands.check_command,
        "show": commands.show_command,
        "facts": commands.facts_command,
        "bench": commands.bench_command,
    }
    match options.command:
        case "decide":
            return commands.decide_command(Path(options.file), Path(options.case), as_json=as_json, book=options.book)
        case "explain":
            return commands.explain_command(Path(options.file), options.article, as_json=as_json)
        case "diff":
            return commands.diff_command(Path(options.old), Path(options.new), as_json=as_json)
        case "replay":
            return commands.replay_command(Path(options.old), Path(options.new), Path(options.cases), as_json=as_json)
        case "golden":
            return commands.golden_command(Path(options.file), Path(options.folder), as_json=as_json)
        case name:
            return one_file[name](Path(options.file), as_json=as_json)


if __name__ == "__main__":
    sys.exit(main())
