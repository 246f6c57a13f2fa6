"""Holds measured coverage to the project's limits; reads the JSON report of coverage.py.

The whole product: at least 95 % of lines and branches. Pure files, where the business decides, 100 %.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

TOTAL_PERCENT = 95.0
PURE_NAMES = frozenset({"model.py", "machine.py", "rules.py"})
PURE_PACKAGES = frozenset({"kernel"})


def is_pure(path: str) -> bool:
    """Whether a product file must be covered whole."""
    parts = PurePosixPath(path).parts
    if "kabao" not in parts:
        return False
    inside = parts[parts.index("kabao") + 1 :]
    return inside[-1:] != () and (inside[-1] in PURE_NAMES or inside[0] in PURE_PACKAGES)


def shortfalls(report: dict[str, Any], pure_on_disk: set[str]) -> Iterator[str]:
    """Each limit that the report misses, in a sentence; `pure_on_disk` holds paths as the report has them."""
    files: dict[str, Any] = report["files"]
    for path in sorted(pure_on_disk - files.keys()):
        yield f"{path}: pure, yet not measured at all"
    for path, measured in sorted(files.items()):
        if not is_pure(path):
            continue
        lines = measured["missing_lines"]
        branches = [f"{start}->{end}" for start, end in measured.get("missing_branches", [])]
        if lines or branches:
            missing = ", ".join([*(str(line) for line in lines), *branches])
            yield f"{path}: pure files are covered whole; missing {missing}"
    percent: float = report["totals"]["percent_covered"]
    if percent < TOTAL_PERCENT:
        yield f"total {percent:.2f} %, the limit is {TOTAL_PERCENT:.0f} %; least covered:"
        worst = sorted(files.items(), key=lambda item: -_missing(item[1]["summary"]))
        for path, measured in worst[:15]:
            if _missing(measured["summary"]):
                yield f"  {path}: {measured['summary']['percent_covered']:.1f} %, {measured['missing_lines']}"


def _missing(summary: dict[str, int]) -> int:
    return summary["missing_lines"] + summary.get("missing_branches", 0)


def main(arguments: list[str]) -> int:
    """Read the report named first (root folder second, by default the current one); 0 when it holds."""
    report = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    root = Path(arguments[1]) if len(arguments) > 1 else Path()
    product = root / "src" / "kabao"
    on_disk = {path.relative_to(root).as_posix() for path in product.rglob("*.py") if path.stat().st_size}
    missed = list(shortfalls(report, {path for path in on_disk if is_pure(path)}))
    for line in missed:
        print(f"coverage: {line}")
    if not missed:
        print(f"coverage: {report['totals']['percent_covered']:.2f} %, pure files whole")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
