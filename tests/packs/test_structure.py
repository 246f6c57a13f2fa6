"""What anybody can do to a pack's bytes: every one is found, and what it was done to is named."""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kabao.packs import Absent, PackContent, PackFile, PackSigner, verify, write_pack
from packattacks import ATTACKS, NOT_PACKS, raw_zip
from packbuilder import Draft, bytes_of, entries_of, entry_of

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


def test_more_entries_than_a_zips_own_numbers_hold_are_counted_in_zip64() -> None:
    """Python's writer is the judge; it names its version alone where the format names the system beside it."""
    names = [f"x/{number:05}" for number in range(0x10000)]
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in names:
            archive.writestr(entry_of(name), b"")
    header = len(verify.local_header(names[0], 0, 0))
    directory = b"".join(verify.central_header(name, 0, 0, at * header) for at, name in enumerate(names))
    due = directory + verify.end_records(len(names), len(directory), header * len(names))
    whole = target.getvalue()
    made_by = len(whole) - 22 - 20 - 56 + 12
    assert whole[made_by : made_by + 2] == b"\x2d\x00"
    assert whole[header * len(names) :] == due[: len(directory) + 12] + b"\x2d\x00" + due[len(directory) + 14 :]
    fewer = verify.end_records(0xFFFE, len(directory), header * len(names))
    assert len(fewer) == 22
    assert len(verify.end_records(0xFFFF, 5, 5)) == 22 + 20 + 56


def test_offsets_beyond_a_zips_own_numbers_go_into_zip64() -> None:
    plain, extended = (verify.central_header("a", 1, 2, offset) for offset in (0xFFFF_FFFE, 0xFFFF_FFFF))
    assert (len(plain), len(extended)) == (47, 47 + 12)
    assert extended[-12:] == b"\x01\x00\x08\x00\xff\xff\xff\xff\x00\x00\x00\x00"
    assert len(verify.end_records(1, 47, 0xFFFF_FFFF)) == 22 + 20 + 56
    assert len(verify.end_records(1, 0xFFFF_FFFF, 5)) == 22 + 20 + 56


@pytest.mark.soak
def test_a_pack_of_more_than_four_gigabytes_holds_and_others_read_it(tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(3 << 30)
    pack = tmp_path / "pack.zip"
    content = PackContent(
        variant="full",
        order=None,
        case=None,
        title="大",
        made_at=datetime(2026, 11, 24, tzinfo=UTC),
        files=tuple(PackFile(name=f"documents/{one}.bin", role="document", source=sparse) for one in "abc"),
        absent=tuple(Absent(part=part, why="没有") for part in ("records", "proofs", "checkpoints", "timestamps")),
    )
    write_pack(pack, content, PackSigner(name="test", seed=bytes(32)))
    assert verify.check(pack).exit_code == 0
    archive = zipfile.ZipFile(pack)
    assert archive.read("verify.py") == Path(verify.__file__).read_bytes()
    with pack.open("r+b") as file:
        file.seek(8 << 30)
        file.write(b"!")
    assert named(verify.check(pack)) == {"documents/c.bin"}


def test_a_directory_is_read_for_what_it_lists_however_it_is_written(tmp_path: Path) -> None:
    """Only to say what is wrong with a pack, so leniently, and within bounds."""
    path = tmp_path / "x.zip"
    names = [f"x/{number:05}" for number in range(0x10000)]
    directory = b"".join(verify.central_header(name, 7, 9, (5 << 32) + at) for at, name in enumerate(names))
    whole = directory + verify.end_records(len(names), len(directory), 0)
    path.write_bytes(whole)
    with path.open("rb", buffering=0) as file:
        listed = verify.listed_in_directory(file, len(whole))
    assert listed is not None
    assert listed[3] == ("x/00003", 9, 7, (5 << 32) + 3)
    assert len(listed) == len(names)
    for size in (1 << 31, len(directory) + 1):
        path.write_bytes(directory + verify.end_records(1, size, 0))
        with path.open("rb", buffering=0) as file:
            assert verify.listed_in_directory(file, path.stat().st_size) is None
    locator_alone = b"PK\x06\x07" + bytes(16) + verify.end_records(0, 0, 0)
    path.write_bytes(locator_alone)
    with path.open("rb", buffering=0) as file:
        assert verify.listed_in_directory(file, len(locator_alone)) in (None, [])
