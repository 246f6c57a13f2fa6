"""The packs in tests/vectors, which the product made: they go on to hold, however the verifier changes."""

import zipfile
from pathlib import Path

import pytest

from kabao.packs import check, known_verifiers, pins_of, verify

from .conftest import run_guide, run_standalone

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.zip"))
each = pytest.mark.parametrize("pack", VECTORS, ids=lambda path: path.name)


@each
def test_a_published_pack_holds_for_a_stranger(pack: Path) -> None:
    done = run_standalone(Path(verify.__file__), pack)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


@each
def test_a_published_pack_holds_by_its_own_verifier(pack: Path, tmp_path: Path) -> None:
    own = tmp_path / "verify.py"
    own.write_bytes(zipfile.ZipFile(pack).read("verify.py"))
    assert run_standalone(own, pack).returncode == 0


@each
def test_a_published_pack_carries_a_known_verifier(pack: Path) -> None:
    """If this fails after a change to verify.py, list the old one in kabao/packs/releases.py."""
    report = check(pack, pins_of(verifiers=known_verifiers()))
    assert report.exit_code == 0, report.lines(english=True)


@each
def test_a_published_pack_holds_by_its_own_printed_commands(pack: Path, tmp_path: Path) -> None:
    (tmp_path / "pack.zip").write_bytes(pack.read_bytes())
    done = run_guide(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
