"""What anybody can do to a pack's bytes: every one is found, and what it was done to is named."""

import io
import zipfile
from pathlib import Path

import pytest

from kabao.packs import verify
from packattacks import ATTACKS, NOT_PACKS, raw_zip
from packbuilder import Draft, bytes_of, entries_of

from .conftest import Examine


def failed(report: verify.Report) -> set[str]:
    return {check.id for check in report.failed}


def named(report: verify.Report) -> set[str | None]:
    return {fault.entry for check in report.failed for fault in check.faults}


def test_the_attacks_start_from_the_canonical_form(small: Draft) -> None:
    assert raw_zip([*entries_of(small).items()]) == bytes_of(small)


@pytest.mark.parametrize("name", ATTACKS)
def test_what_was_done_to_the_bytes_is_found_and_named(name: str, small: Draft, examine: Examine) -> None:
    attack = ATTACKS[name]
    report = examine(attack.make(entries_of(small)))
    assert report.exit_code == 1
    assert attack.check in failed(report)
    if attack.entry is not None:
        assert attack.entry in named(report)


@pytest.mark.parametrize("name", NOT_PACKS)
def test_what_is_not_a_pack_is_told_apart_from_one_that_fails(name: str, examine: Examine) -> None:
    report = examine(NOT_PACKS[name])
    assert report.exit_code == 2
    assert report.refused is not None
    assert report.as_json()["verdict"] == "not-a-pack"


def test_a_folder_a_device_and_nothing_are_not_packs(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null"), tmp_path / "nowhere.zip"):
        assert verify.check(path).exit_code == 2


def test_entries_swapped_added_and_removed_at_once_are_all_named(small: Draft, examine: Examine) -> None:
    entries = entries_of(small)
    changed = [(name, content) for name, content in entries.items() if name not in ("pack.pdf", "index.html")]
    report = examine(raw_zip([*changed, ("evil.txt", b"evil"), ("start.html", entries["index.html"])]))
    said = {(fault.code, fault.entry) for fault in report.checks["zip"].faults}
    assert {("missing", "pack.pdf"), ("renamed", "index.html"), ("added", "evil.txt")} <= said


def test_every_cut_is_found(small: Draft, examine: Examine) -> None:
    whole = bytes_of(small)
    for length in range(0, len(whole), 397):
        assert examine(whole[:length]).exit_code in ((1, 2) if length < 50 else (1,))


def test_programs_that_read_zips_read_packs(stamped: Draft) -> None:
    archive = zipfile.ZipFile(io.BytesIO(bytes_of(stamped)))
    assert archive.testzip() is None
    assert archive.namelist()[:2] == ["manifest.json", "manifest.sig"]
