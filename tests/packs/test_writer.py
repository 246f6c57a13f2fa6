"""The product's own packs: what they are made of comes in, one canonical file comes out, whole or not at all."""

import io
import stat
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kabao.packs import (
    Absent,
    PackCheckpoint,
    PackContent,
    PackFile,
    PackItem,
    PackLog,
    PackRecord,
    PackRefusedError,
    PackSigner,
    PackTimestamp,
    Source,
    check,
    known_verifiers,
    pins_of,
    write_pack,
)
from packattacks import raw_zip
from packbuilder import LETTER, LOG, PICTURE, SIGNER, VIDEO, Draft, entries_of

from .conftest import run_guide

SIGNED_BY = PackSigner(name=SIGNER.name, seed=SIGNER.seed)


def content_of(draft: Draft, **more: Any) -> PackContent:
    """Say what a draft is made of as the product would."""
    files, value = draft.files, draft.manifest
    items = [
        PackItem(
            **{key: item[key] for key in ("no", "name", "media_type", "size", "record", "shown")},
            sha256=bytes.fromhex(item["sha256"]),
            extension="png",
            source=None if item["file"] is None else files[item["file"]],
        )
        for item in value["items"]
    ]
    records = [
        PackRecord(
            no=record["no"],
            kind=record["kind"],
            commitment=bytes.fromhex(record["commitment"]),
            body=None if record["body"] is None else files[record["body"]],
            proof=files[record["proof"]],
        )
        for record in value["records"]
    ]
    (point,) = value["checkpoints"]
    stamps = [
        PackTimestamp(authority=one["authority"], response=files[one["file"]], roots_pem=files[one["roots"]])
        for one in point["timestamps"]
    ]
    free = [
        PackFile(name="index.html", role="index", source=files["index.html"]),
        PackFile(name="pack.pdf", role="paper", source=files["pack.pdf"]),
        PackFile(name="ruling/ruling.json", role="ruling", source=files["ruling/ruling.json"]),
        PackFile(name="documents/listing.json", role="document", source=files["documents/listing.json"]),
    ]
    content = PackContent(
        variant="redacted",
        order="7-1H8K",
        case="7-1H8M",
        title="月卡 30 天",
        made_at=datetime(2026, 11, 24, 21, 0, 0, 999, tzinfo=UTC),
        log=PackLog(origin=LOG.name, key=LOG.text),
        items=tuple(items),
        records=tuple(records),
        checkpoints=(
            PackCheckpoint(
                size=len(draft.entries),
                note=files[point["file"]],
                witnesses=files[point["witnesses"]],
                timestamps=tuple(stamps),
            ),
        ),
        files=tuple(free),
        site="https://kabao.example",
    )
    return msgspec.structs.replace(content, **more)


def test_a_pack_of_everything_holds_and_is_canonical(stamped: Draft, tmp_path: Path) -> None:
    target = tmp_path / "pack.zip"
    write_pack(target, content_of(stamped), SIGNED_BY)
    report = check(target, pins_of([SIGNER.text], [LOG.text], verifiers=known_verifiers()))
    assert report.exit_code == 0, report.lines(english=True)
    counted = {"items": 3, "records": 6, "proofs": 6, "checkpoints": 1, "timestamps": 2, "ruling": 1}
    assert report.about["parts"] == counted
    archive = zipfile.ZipFile(target)
    entries = {name: archive.read(name) for name in archive.namelist()}
    assert raw_zip([*entries.items()]) == target.read_bytes()
    assert entries["keys/signer.pem"] == stamped.files["keys/signer.pem"]
    assert entries["timestamps/11-2.tsr"] == stamped.files["timestamps/11-ec.tsr"]
    own = {name for name in entries if not name.startswith(("timestamps/", "authorities/"))}
    assert own == {name for name in entries_of(stamped) if not name.startswith(("timestamps/", "authorities/"))}


def test_the_same_content_gives_the_same_bytes(stamped: Draft, tmp_path: Path) -> None:
    for name in ("one.zip", "two.zip"):
        write_pack(tmp_path / name, content_of(stamped), SIGNED_BY)
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_files_and_streams_are_read_as_they_are(stamped: Draft, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.write_bytes(VIDEO * 100_000)

    def chunks() -> Iterator[bytes]:
        yield PICTURE[:7]
        yield PICTURE[7:]

    content = content_of(stamped)
    picture, *others = content.items
    write_pack(
        tmp_path / "pack.zip",
        msgspec.structs.replace(
            content,
            items=(msgspec.structs.replace(picture, source=chunks), *others),
            files=(*content.files, PackFile(name="documents/video.mp4", role="document", source=video)),
        ),
        SIGNED_BY,
    )
    archive = zipfile.ZipFile(tmp_path / "pack.zip")
    assert check(tmp_path / "pack.zip").exit_code == 0
    assert archive.read("items/001.png") == PICTURE
    assert archive.read("documents/video.mp4") == video.read_bytes()


def test_a_pack_of_a_self_help_case_needs_neither_log_nor_records(tmp_path: Path) -> None:
    item = PackItem(
        no=1,
        name="聊天记录.txt",
        media_type="text/plain",
        size=len(LETTER),
        sha256=sha256(LETTER).digest(),
        record=None,
        shown="original",
        extension="TXT",
        source=LETTER,
    )
    odd = msgspec.structs.replace(item, no=2, extension="../../evil", source=LETTER)
    content = PackContent(
        variant="full",
        order=None,
        case=None,
        title="在别处买的",
        made_at=datetime(2026, 11, 24, 21, 0, 0, tzinfo=UTC),
        items=(item, odd),
        absent=tuple(Absent(part=part, why="不经平台") for part in ("records", "proofs", "checkpoints", "timestamps")),
    )
    write_pack(tmp_path / "pack.zip", content, SIGNED_BY)
    report = check(tmp_path / "pack.zip")
    assert report.exit_code == 0
    assert [one["file"] for one in report.about["items"]] == ["items/001.txt", "items/002.bin"]
    guide = zipfile.ZipFile(tmp_path / "pack.zip").read("VERIFY.txt").decode()
    assert "- timestamps: 不经平台" in guide
    assert "openssl ts" not in guide
    assert "keys/log.pem" not in guide


def test_authorities_with_the_same_roots_share_their_file(stamped: Draft, tmp_path: Path) -> None:
    content = content_of(stamped)
    (point,) = content.checkpoints
    twice = msgspec.structs.replace(point, timestamps=(*point.timestamps, point.timestamps[0]))
    write_pack(tmp_path / "pack.zip", msgspec.structs.replace(content, checkpoints=(twice,)), SIGNED_BY)
    names = zipfile.ZipFile(tmp_path / "pack.zip").namelist()
    assert [name for name in names if name.startswith("authorities/")] == ["authorities/1.pem", "authorities/2.pem"]
    assert check(tmp_path / "pack.zip").exit_code == 0


Change = Callable[[PackContent], PackContent]


def _first_item(**more: Any) -> Change:
    def change(content: PackContent) -> PackContent:
        first, *others = content.items
        return msgspec.structs.replace(content, items=(msgspec.structs.replace(first, **more), *others))

    return change


def _first_record(**more: Any) -> Change:
    def change(content: PackContent) -> PackContent:
        first, *others = content.records
        return msgspec.structs.replace(content, records=(msgspec.structs.replace(first, **more), *others))

    return change


def _with_file(name: str, source: Source = b"x") -> Change:
    return lambda content: msgspec.structs.replace(
        content, files=(*content.files, PackFile(name=name, role="document", source=source))
    )


def _with(**more: Any) -> Change:
    return lambda content: msgspec.structs.replace(content, **more)


def _no_stamps(content: PackContent) -> PackContent:
    (point,) = content.checkpoints
    return msgspec.structs.replace(content, checkpoints=(msgspec.structs.replace(point, timestamps=()),))


def _a_stamp_that_is_none(content: PackContent) -> PackContent:
    (point,) = content.checkpoints
    wrong = PackTimestamp(authority="x", response=b"hello", roots_pem=b"")
    return msgspec.structs.replace(content, checkpoints=(msgspec.structs.replace(point, timestamps=(wrong,)),))


REFUSED: dict[str, tuple[Change, str]] = {
    "an item without its content": (_first_item(source=None), "item 1 is original"),
    "a withheld item with content": (_first_item(shown="withheld"), "item 1 is withheld"),
    "an item twice": (lambda content: _with(items=(*content.items, content.items[0]))(content), "do not rise"),
    "two files of one name": (_with_file("index.html"), "two files would be called index.html"),
    "a name that is none": (_with_file("../evil"), "/files/0/name does not fit"),
    "a name of the writer's own": (_with_file("verify.py"), "two files would be called verify.py"),
    "a record without its commitment": (_first_record(commitment=None), "has a proof but no commitment"),
    "a proof that is none": (_first_record(proof=b"hello"), "the proof is malformed"),
    "a record that is not logged, without a word": (
        _first_record(proof=None, commitment=None),
        "nothing says why records lack proofs",
    ),
    "no stamps without a word": (_no_stamps, "nothing says why timestamps are absent"),
    "a stamp that is none": (_a_stamp_that_is_none, "not DER"),
    "a time without its zone": (_with(made_at=datetime(2026, 1, 1)), "not in UTC"),  # noqa: DTZ001  that is the point
    "a time of elsewhere": (
        _with(made_at=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8)))),
        "not in UTC",
    ),
    "no log": (_with(log=None), "there are proofs but no log"),
    "a log's key that is none": (_with(log=PackLog(origin="x", key="x")), "not a verifier key"),
    "a title without end": (_with(title="长" * 501), "/about/title does not fit"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_make_a_pack_is_refused_and_leaves_nothing(name: str, stamped: Draft, tmp_path: Path) -> None:
    change, why = REFUSED[name]
    with pytest.raises(PackRefusedError, match=why):
        write_pack(tmp_path / "pack.zip", change(content_of(stamped)), SIGNED_BY)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("second", [b"another letter", b"", b"a letter, and more", b"a letter!"[:-1] + b"?"])
def test_a_content_that_changes_meanwhile_is_refused_and_an_older_pack_stays(
    second: bytes, stamped: Draft, tmp_path: Path
) -> None:
    answers = [[b"a letter!"], [second]]
    target = tmp_path / "pack.zip"
    target.write_bytes(b"an older pack")
    with pytest.raises(PackRefusedError, match=r"letter\.txt changed"):
        write_pack(target, _with_file("documents/letter.txt", lambda: answers.pop(0))(content_of(stamped)), SIGNED_BY)
    assert target.read_bytes() == b"an older pack"
    assert [path.name for path in tmp_path.iterdir()] == ["pack.zip"]


def test_a_reader_that_fails_leaves_nothing(stamped: Draft, tmp_path: Path) -> None:
    broken = _with_file("documents/gone.txt", tmp_path / "gone.txt")
    with pytest.raises(FileNotFoundError):
        write_pack(tmp_path / "pack.zip", broken(content_of(stamped)), SIGNED_BY)
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_reads_a_new_pack(stamped: Draft, tmp_path: Path) -> None:
    write_pack(tmp_path / "pack.zip", content_of(stamped), SIGNED_BY)
    assert stat.S_IMODE((tmp_path / "pack.zip").stat().st_mode) == 0o600


def test_a_file_of_more_than_a_zip_can_say_is_refused(stamped: Draft, tmp_path: Path) -> None:
    sparse = tmp_path / "sparse"
    with sparse.open("wb") as file:
        file.truncate(4 << 30)
    with pytest.raises(PackRefusedError, match="larger than 4 GiB"):
        write_pack(tmp_path / "pack.zip", _with_file("documents/x", sparse)(content_of(stamped)), SIGNED_BY)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "x" * 201])
def test_a_signer_has_a_name_that_notes_can_carry(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        PackSigner(name=name, seed=SIGNER.seed)


def test_a_signer_signs_as_signed_notes_do() -> None:
    assert SIGNED_BY.verifier_key == SIGNER.text
    assert SIGNED_BY.note("text\n") == SIGNER.note("text\n")


def test_the_printed_commands_check_the_pack_by_openssl_and_coreutils(stamped: Draft, tmp_path: Path) -> None:
    write_pack(tmp_path / "pack.zip", content_of(stamped), SIGNED_BY)
    done = run_guide(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "结论: 全部通过" in done.stdout
    assert "pack/verify.py: OK" in done.stdout
    assert done.stdout.count("Signature Verified Successfully") == 2
    assert done.stdout.count("Verification: OK") == 2


ALTERED: dict[str, Callable[[dict[str, bytes]], Any]] = {
    "an item": lambda files: files.update({"items/001.png": b"another"}),
    "an item added": lambda files: files.update({"items/009.png": b"another"}),
    "the manifest": lambda files: files.update({"manifest.json": files["manifest.json"].replace(b"full", b"none")}),
    "the signature": lambda files: files.update({"manifest.sig": SIGNER.note("kabao-pack/1\n" + "0" * 64 + "\n")}),
}


@pytest.mark.parametrize("name", ALTERED)
def test_the_printed_commands_find_what_was_altered(name: str, stamped: Draft, tmp_path: Path) -> None:
    content = content_of(stamped, variant="full")
    write_pack(tmp_path / "pack.zip", content, SIGNED_BY)
    archive = zipfile.ZipFile(io.BytesIO((tmp_path / "pack.zip").read_bytes()))
    files = {one: archive.read(one) for one in archive.namelist()}
    ALTERED[name](files)
    # Without the verifier's own word, which would end the script at once.
    files["VERIFY.txt"] = files["VERIFY.txt"].replace(b"    python3 -I", b"   python3 -I")
    (tmp_path / "pack.zip").write_bytes(raw_zip([*files.items()]))
    assert run_guide(tmp_path).returncode != 0
