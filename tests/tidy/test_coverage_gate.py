import json
import subprocess
import sys
from pathlib import Path
from typing import Any

GATE = Path(__file__).parents[2] / "tools" / "coverage_gate.py"


def run_gate(folder: Path, files: dict[str, Any], percent: float) -> tuple[int, str]:
    report = {"files": files, "totals": {"percent_covered": percent}}
    (folder / "coverage.json").write_text(json.dumps(report), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(GATE), str(folder / "coverage.json"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def measured(*, lines: list[int] | None = None, branches: list[list[int]] | None = None) -> dict[str, Any]:
    lines, branches = lines or [], branches or []
    summary = {"missing_lines": len(lines), "missing_branches": len(branches), "percent_covered": 90.0}
    return {"missing_lines": lines, "missing_branches": branches, "summary": summary}


def test_the_limits_are_met_exactly(tmp_path: Path) -> None:
    files = {"src/kabao/orders/model.py": measured(), "src/kabao/web/pages.py": measured(lines=[3])}
    assert run_gate(tmp_path, files, 95.0) == (0, "coverage: 95.00 %, pure files whole\n")


def test_a_total_below_the_limit_names_the_least_covered_files(tmp_path: Path) -> None:
    code, text = run_gate(tmp_path, {"src/kabao/web/pages.py": measured(lines=[3, 4])}, 94.99)
    assert code == 1
    assert "94.99 %" in text
    assert "src/kabao/web/pages.py: 90.0 %, [3, 4]" in text


def test_a_missing_line_in_the_kernel_fails(tmp_path: Path) -> None:
    code, text = run_gate(tmp_path, {"src/kabao/kernel/money.py": measured(lines=[7])}, 99.9)
    assert code == 1
    assert "src/kabao/kernel/money.py: pure files are covered whole; missing 7" in text


def test_a_missing_branch_in_a_pure_file_fails(tmp_path: Path) -> None:
    code, text = run_gate(tmp_path, {"src/kabao/orders/machine.py": measured(branches=[[7, 9]])}, 99.9)
    assert code == 1
    assert "missing 7->9" in text


def test_a_pure_file_that_no_test_measured_fails(tmp_path: Path) -> None:
    rules = tmp_path / "src" / "kabao" / "cases" / "rules.py"
    rules.parent.mkdir(parents=True)
    rules.write_text("LIMIT = 1\n", encoding="utf-8")
    code, text = run_gate(tmp_path, {}, 100.0)
    assert code == 1
    assert "src/kabao/cases/rules.py: pure, yet not measured" in text
