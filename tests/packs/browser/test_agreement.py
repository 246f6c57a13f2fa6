"""The page's verifier and `verify.py` say the same of every pack: the same checks fail, the same things are blamed."""

import random
from hashlib import sha256
from pathlib import Path

import pytest

from kabao.packs import verify
from packattacks import ATTACKS, NOT_PACKS
from packbuilder import (
    LOG,
    SIGNER,
    STRANGER,
    WITNESS,
    Draft,
    Key,
    bytes_of,
    canonical,
    entries_of,
    signature_of,
    zip_of,
)

from ..test_manifest import deep  # noqa: TID252  the changes stand with the tests of verify.py
from .conftest import Laboratory, unlike, verdict_of

pytestmark = pytest.mark.browser

FLIPS = 400
ABSENT = Key("witness.example/w2", b"\x05" * 32, 4)


def test_a_whole_pack_holds_and_its_report_says_the_same(
    laboratory: Laboratory, stamped: Draft, tmp_path: Path
) -> None:
    pack, path = bytes_of(stamped), tmp_path / "pack.zip"
    [found] = laboratory.reports([pack])
    path.write_bytes(pack)
    told = verify.check(path).as_json()
    assert found["exit"] == 0
    assert [(one["id"], one["state"]) for one in found["checks"]] == [
        (one["id"], one["state"]) for one in told["checks"]
    ]
    assert [one["title"] for one in found["checks"]] == [one["title"]["zh"] for one in told["checks"]]
    told_times = [(one["authority"], one["at"], one["signer"], one["root_sha256"]) for one in told["timestamps"]]
    assert len(told_times) == 2
    assert told_times == [
        (one["authority"], one["at"], one["signer"], one["root_sha256"]) for one in found["timestamps"]
    ]
    assert found["about"].pop("verifier") == sha256(stamped.files["verify.py"]).hexdigest()
    about = {key: value for key, value in found["about"].items() if key != "items"}
    assert about == {key: value for key, value in told["about"].items() if key != "items"}
    places = [one.pop("kept") for one in found["about"]["items"]]
    for item in found["about"]["items"]:
        del item["record"]
    assert found["about"]["items"] == told["about"]["items"]
    shown = [None if place is None else pack[place["start"] : place["start"] + place["size"]] for place in places]
    assert shown == [stamped.files["items/001.png"], stamped.files["previews/002.png"], None]


def test_the_packs_that_were_published_hold(laboratory: Laboratory, tmp_path: Path) -> None:
    paths = sorted((Path(__file__).parents[2] / "vectors").glob("*.zip"))
    assert paths
    for path in paths:
        [found] = laboratory.verdicts([path.read_bytes()])
        assert found.status == 0
        assert unlike(found, verdict_of(tmp_path / "pack.zip", path.read_bytes())) == ""


def test_sampled_bit_flips_are_all_found_and_blamed_alike(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    pack, chance = bytes_of(small), random.Random(7)  # noqa: S311  the same places every time
    starts = [0, *(at for at in range(len(pack)) if pack[at : at + 4] in (b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"))]
    headers = [(start + chance.randrange(46), chance.randrange(8)) for start in starts if start + 46 < len(pack)]
    flips = headers + [(chance.randrange(len(pack)), chance.randrange(8)) for _ in range(FLIPS - len(headers))]
    whole, *found = laboratory.verdicts([pack], flips=flips)
    assert whole.status == 0
    assert [at for (at, _), one in zip(flips, found, strict=True) if one.status != 1] == []
    path = tmp_path / "pack.zip"
    for (at, bit), one in zip(flips, found, strict=True):
        content = bytearray(pack)
        content[at] ^= 1 << bit
        assert unlike(one, verdict_of(path, bytes(content))) == "", f"bit {bit} of byte {at}"


def test_what_can_be_done_to_the_bytes_is_blamed_alike(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    packs = {name: attack.make(entries_of(small)) for name, attack in ATTACKS.items()}
    path = tmp_path / "pack.zip"
    for name, found in zip(packs, laboratory.verdicts([*packs.values()]), strict=True):
        assert found.status == 1, name
        assert ATTACKS[name].check in found.failed, name
        assert unlike(found, verdict_of(path, packs[name])) == "", name


def test_what_is_no_pack_is_told_apart(laboratory: Laboratory) -> None:
    for name, report in zip(NOT_PACKS, laboratory.reports([*NOT_PACKS.values()]), strict=True):
        assert report["exit"] == 2, name
        assert report["refused"], name


def test_cuts_are_blamed_alike(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    whole = bytes_of(small)
    packs = [whole[:length] for length in range(0, len(whole), len(whole) // 60)]
    path = tmp_path / "pack.zip"
    for pack, found in zip(packs, laboratory.verdicts(packs), strict=True):
        assert unlike(found, verdict_of(path, pack)) == "", len(pack)


def dishonest(draft: Draft, chance: random.Random) -> Draft:
    """Change a part of a pack as only its signer could: the manifest goes with it and is signed."""
    kinds = {"proof", "record", "checkpoint", "timestamp", "authority", "key", "witnesses"}
    name = chance.choice([name for name, role in draft.roles.items() if role in kinds])
    content = bytearray(draft.files[name])
    at = chance.randrange(len(content))
    match chance.randrange(4):
        case 0:
            del content[at : at + chance.randrange(1, 9)]
        case 1:
            content[at:at] = chance.choice([b"\n", b" ", b"\r", b"\0", b"=", b"A", b"\xc2\x85", b"0", b'"', b"\\u0041"])
        case _:
            content[at] ^= 1 << chance.randrange(8)
    draft.files[name] = bytes(content)
    return draft


def test_what_a_dishonest_signer_changes_is_blamed_alike(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    chance, path = random.Random(11), tmp_path / "pack.zip"  # noqa: S311  the same changes every time
    packs = [bytes_of(dishonest(small.copy(), chance)) for _ in range(400)]
    found = laboratory.verdicts(packs)
    assert {one.status for one in found} == {0, 1}, "some changes are none: what no key signs may be written otherwise"
    for pack, one in zip(packs, found, strict=True):
        assert unlike(one, verdict_of(path, pack)) == ""


ODD_VALUES = [None, 0, -1, True, "", "x", [], {}, 2**53 - 1, "../x", "items/001.png", "0" * 64, "withheld", "\u2028"]


def test_manifests_that_do_not_go_together_are_blamed_alike(
    laboratory: Laboratory, small: Draft, tmp_path: Path
) -> None:
    """Every value of the manifest in turn becomes each of some odd ones."""
    chance, path, packs = random.Random(13), tmp_path / "pack.zip", []  # noqa: S311  the same values every time
    for place in places_in(small.manifest):
        draft = small.copy()
        value = draft.manifest
        for key in place[:-1]:
            value = value[key]
        value[place[-1]] = chance.choice(ODD_VALUES)
        packs.append(bytes_of(draft))
    found = laboratory.verdicts(packs)
    for pack, one in zip(packs, found, strict=True):
        assert unlike(one, verdict_of(path, pack)) == ""
    assert sum(one.status == 1 for one in found) > len(found) * 0.9


def places_in(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict):
        pairs = [*value.items()]
    elif isinstance(value, list):
        pairs = [*enumerate(value)]
    inner = [place for key, one in pairs for place in places_in(one, (*path, key))]
    return ([path] if path else []) + inner


@pytest.mark.parametrize(
    ("pins", "status", "failing"),
    [
        ({"signers": [SIGNER.text], "logs": [LOG.text], "witnesses": [WITNESS.text]}, 0, None),
        ({"signers": [STRANGER.text]}, 1, "signature"),
        ({"logs": [SIGNER.text]}, 1, "checkpoint"),
        ({"witnesses": [ABSENT.text]}, 1, "witnesses"),
        ({"verifiers": ["0" * 64]}, 1, "verifier"),
    ],
)
def test_keys_that_the_reader_trusts_decide_alike(
    laboratory: Laboratory,
    small: Draft,
    tmp_path: Path,
    pins: dict[str, list[str]],
    status: int,
    failing: str | None,
) -> None:
    pack = bytes_of(small)
    [found] = laboratory.verdicts([pack], pins=pins)
    assert found.status == status
    assert found.failed == ([failing] if failing else [])
    theirs = verify.pins_of(
        pins.get("signers", ()), pins.get("logs", ()), pins.get("witnesses", ()), None, pins.get("verifiers")
    )
    assert unlike(found, verdict_of(tmp_path / "pack.zip", pack, theirs)) == ""


def test_a_witness_that_is_known_is_checked_where_it_cosigned_and_not_missed_where_it_did_not(
    laboratory: Laboratory, small: Draft
) -> None:
    [report] = laboratory.reports([bytes_of(small)], pins={"welcome": [WITNESS.text]})
    assert report["exit"] == 0
    assert [one["name"] for one in report["cosignatures"]] == [WITNESS.name]
    draft = small.copy()
    [name] = [name for name, role in draft.roles.items() if role == "witnesses"]
    draft.files[name] = WITNESS.line(bytes(72)).encode()
    [report] = laboratory.reports([bytes_of(draft)], pins={"welcome": [WITNESS.text]})
    assert report["exit"] == 1
    draft.files[name] = b""
    [report] = laboratory.reports([bytes_of(draft)], pins={"welcome": [WITNESS.text]})
    assert report["exit"] == 0


def test_json_that_only_some_readers_take_is_refused_alike(
    laboratory: Laboratory, small: Draft, tmp_path: Path
) -> None:
    """A signer could hide behind readers that differ: floats, double keys, half surrogates, huge numbers, a BOM."""
    manifest = entries_of(small)["manifest.json"]
    value = b'"made_at":"2026-11-24T21:00:00Z"'
    odd = [
        manifest.replace(b"{", b"{ ", 1),
        b"\xef\xbb\xbf" + manifest,
        manifest + b"\n",
        manifest.replace(value, b'"made_at":1.0'),
        manifest.replace(value, b'"made_at":1e2'),
        manifest.replace(value, b'"made_at":-0'),
        manifest.replace(value, b'"made_at":9007199254740993'),
        manifest.replace(value, b'"made_at":NaN'),
        manifest.replace(value, b'"made_at":"\\ud800"'),
        manifest.replace(value, b'"made_at":"\\u0032026-11-24T21:00:00Z"'),
        manifest.replace(value, value + b"," + value),
        manifest.replace(value, b'"__proto__":{},' + value),
        manifest.replace(value, b'"made_at":"' + b"\xff" * 3 + b'"'),
        manifest.replace(value, b'"made_at":' + b"[" * 300 + b"]" * 300),
        canonical([]),
        b"{}",
    ]
    assert len(set(odd)) == len(odd)
    packs = [signed_again(small, one) for one in odd]
    path = tmp_path / "pack.zip"
    for one, pack, found in zip(odd, packs, laboratory.verdicts(packs), strict=True):
        assert unlike(found, verdict_of(path, pack)) == "", one[:200]
        assert found.status == 1, one[:200]


def test_json_is_nested_64_deep_and_no_deeper(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    drafts = [small.copy() for _ in range(2)]
    for draft, depth in zip(drafts, (64, 65), strict=True):
        deep(depth)(draft)
    packs = [bytes_of(draft) for draft in drafts]
    found = laboratory.verdicts(packs)
    assert [one.status for one in found] == [0, 1]
    assert [unlike(one, verdict_of(tmp_path / "p.zip", pack)) for one, pack in zip(found, packs, strict=True)] == [
        "",
        "",
    ]


def test_a_manifest_nested_too_deeply_names_no_signer(laboratory: Laboratory, small: Draft, tmp_path: Path) -> None:
    manifest = entries_of(small)["manifest.json"]
    for depth in (64, 65, 500, 5_000):
        pack = signed_again(small, b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"," + manifest[1:])
        [found] = laboratory.verdicts([pack])
        assert unlike(found, verdict_of(tmp_path / "pack.zip", pack)) == "", depth
        assert ("signature" in found.failed) is (depth > 64), depth


def signed_again(draft: Draft, manifest: bytes) -> bytes:
    """Write a pack around a manifest as it is given."""
    head = {"manifest.json": manifest, "manifest.sig": signature_of(manifest, SIGNER)}
    return zip_of({**head, **dict(sorted(draft.files.items()))})
