"""Single bits: whichever is flipped, wherever it lies, the verifier finds it and blames nothing it cannot see."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kabao.packs import verify
from packbuilder import Draft, bytes_of, count, entries_of, sample

FLIPS = 10_000
PARTS = 8


def regions(draft: Draft) -> dict[str, range]:
    """Give the stretches of a pack: each header, each content, the directory, the end."""
    entries, whole = entries_of(draft), bytes_of(draft)
    found, at = {}, 0
    for name, content in entries.items():
        start = at + 30 + len(name)
        found[f"header {name}"] = range(at, start)
        if content:
            found[name] = range(start, start + len(content))
        at = start + len(content)
    found["directory"] = range(at, len(whole) - 22)
    found["end"] = range(len(whole) - 22, len(whole))
    return found


def flipped(path: Path, places: Iterator[tuple[int, int]]) -> Iterator[tuple[int, verify.Report]]:
    """Flip one bit after another in a file and check it each time."""
    with path.open("r+b", buffering=0) as file:
        for at, bit in places:
            file.seek(at)
            was = file.read(1)
            file.seek(at)
            file.write(bytes((was[0] ^ 1 << bit,)))
            yield at, verify.check(path)
            file.seek(at)
            file.write(was)


@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_flips_over_every_region_are_all_found(part: int, small: Draft, tmp_path: Path) -> None:
    path, chance = tmp_path / "pack.zip", random.Random(part)  # noqa: S311  the same places every time
    path.write_bytes(bytes_of(small))
    assert verify.check(path).exit_code == 0
    stretches = [*regions(small).values()]
    assert sum(map(len, stretches)) == path.stat().st_size
    places = ((chance.choice(stretches[at % len(stretches)]), chance.randrange(8)) for at in range(FLIPS // PARTS))
    missed = [at for at, report in flipped(path, places) if report.exit_code != 1]
    assert missed == []
    assert verify.check(path).exit_code == 0


def test_a_flip_in_any_byte_of_a_tiny_pack_is_found(tmp_path: Path) -> None:
    draft = sample()
    for name in set(draft.files) - {"VERIFY.txt", "verify.py", "keys/signer.pem", "items/001.png"}:
        draft.drop(name)
    draft.files["verify.py"] = b"#"
    value = draft.manifest
    value.update(log=None, records=[], checkpoints=[], items=[{**value["items"][0], "record": None}])
    count(draft)
    path = tmp_path / "pack.zip"
    path.write_bytes(bytes_of(draft))
    assert verify.check(path).exit_code == 0
    places = ((at, at % 8) for at in range(path.stat().st_size))
    assert [at for at, report in flipped(path, places) if report.exit_code != 1] == []


def test_a_flip_in_a_content_names_the_entry_and_its_number(small: Draft, tmp_path: Path) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(bytes_of(small))
    where = regions(small)
    for name in small.files:
        ((_, report),) = flipped(path, iter([(where[name].stop - 1, 0)]))
        faults = report.checks["entries"].faults
        assert [fault.entry for fault in faults] == [name]
        item = {"items/001.png": 1, "previews/002.png": 2}.get(name)
        record = int(name[-11:-5]) if name.startswith("records/") else None
        record = int(name.split("/")[1][:6]) if name.startswith("proofs/") else record
        assert (faults[0].item, faults[0].record) == (item, record)
        assert report.checks["zip"].state == "ok"
