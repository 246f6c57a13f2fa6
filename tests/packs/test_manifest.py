"""What only the signer could do: a manifest that is signed and yet does not hold together."""

import base64
import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from kabao.packs import verify
from packattacks import raw_zip
from packbuilder import (
    LOG,
    PICTURE,
    SIGNER,
    STRANGER,
    WITNESS,
    Draft,
    body_of,
    bytes_of,
    canonical,
    checkpoint_of,
    checkpoint_text,
    count,
    entries_of,
    log_records,
    manifest_bytes,
    path_to,
    pem_of,
    signature_of,
    zip_of,
)

from .conftest import Examine

Change = Callable[[Draft], None]


def at(path: str, value: Any) -> Change:
    """Set the manifest's value at a path such as `items/0/name`."""

    def change(draft: Draft) -> None:
        inner: Any = draft.manifest
        *way, last = path.split("/")
        for step in way:
            inner = inner[int(step) if step.isdigit() else step]
        inner[int(last) if last.isdigit() else last] = value

    return change


def file(name: str, content: bytes) -> Change:
    def change(draft: Draft) -> None:
        draft.files[name] = content

    return change


def add(name: str, role: str, content: bytes = b"x") -> Change:
    return lambda draft: draft.add(name, content, role)


def drop(name: str) -> Change:
    return lambda draft: draft.drop(name)


def both(*changes: Change) -> Change:
    def change(draft: Draft) -> None:
        for one in changes:
            one(draft)

    return change


def proof(number: int, old: bytes, new: bytes) -> Change:
    def change(draft: Draft) -> None:
        name = f"proofs/{number:06}.tlog-proof"
        assert old in draft.files[name]
        draft.files[name] = draft.files[name].replace(old, new, 1)

    return change


def body(number: int, old: bytes, new: bytes) -> Change:
    def change(draft: Draft) -> None:
        name = f"records/{number:06}.json"
        assert old in draft.files[name]
        draft.files[name] = draft.files[name].replace(old, new, 1)

    return change


def _proof_of_another(draft: Draft) -> None:
    draft.files["proofs/000001.tlog-proof"] = draft.files["proofs/000002.tlog-proof"]


def _record_twice(draft: Draft) -> None:
    draft.add("records/000007.json", draft.files["records/000001.json"], "record")
    draft.add("proofs/000007.tlog-proof", draft.files["proofs/000001.tlog-proof"], "proof")
    draft.manifest["records"].append(
        {
            **draft.manifest["records"][0],
            "no": 7,
            "body": "records/000007.json",
            "proof": "proofs/000007.tlog-proof",
        }
    )
    count(draft)


def _unlogged(draft: Draft) -> None:
    draft.manifest["records"][0] |= {"proof": None, "commitment": None}
    draft.drop("proofs/000001.tlog-proof")
    count(draft)


def _other_checkpoint(draft: Draft) -> None:
    note = LOG.note(checkpoint_text(draft.entries[:10]))
    draft.add("checkpoints/10.txt", note, "checkpoint")
    draft.manifest["checkpoints"].append({"file": "checkpoints/10.txt", "witnesses": None, "timestamps": []})
    name = "proofs/000001.tlog-proof"
    head = draft.files[name].split(b"\n")[:3]
    path = [base64.b64encode(one) for one in path_to(2, draft.entries[:10])]
    draft.files[name] = b"\n".join([*head, *path, b"", b""]) + note
    count(draft)


def _signed_by_a_stranger(draft: Draft) -> None:
    draft.files["checkpoints/11.txt"] = STRANGER.note(checkpoint_text(draft.entries))


def _second_signature(draft: Draft) -> None:
    text = checkpoint_text(draft.entries)
    draft.files["checkpoints/11.txt"] += WITNESS.cosignature(text, 1).encode()


def _salt_given_away(draft: Draft) -> None:
    name = "proofs/000005.tlog-proof"
    draft.files[name] = draft.files[name].replace(b"\nindex", b"\nextra " + base64.b64encode(bytes(32)) + b"\nindex")


def _salt_kept(draft: Draft) -> None:
    name = "proofs/000001.tlog-proof"
    first, _, rest = draft.files[name].partition(b"\nextra ")
    draft.files[name] = first + b"\n" + rest.partition(b"\n")[2]


def _salt_emptied(draft: Draft) -> None:
    """Commit to a record without any salt, as only the platform itself could."""
    for name in [name for name, role in draft.roles.items() if role in ("timestamp", "authority")]:
        draft.drop(name)
    records = [(one["kind"], draft.files.get(one["body"], b"withheld")) for one in draft.manifest["records"]]
    log_records(draft, records, withheld={5}, salts={1: b""})
    count(draft)


def nested(depth: int) -> bytes:
    """A body in which so many arrays and objects lie in one another."""
    inner: list[Any] = []
    for _ in range(depth - 3):
        inner = [inner]
    return body_of(1, "order_event", {"nest": inner})


def deep(depth: int) -> Change:
    def change(draft: Draft) -> None:
        draft.files["records/000001.json"] = nested(depth)
        _unlogged(draft)
        draft.manifest["absent"].append({"part": "proofs", "why": "一条记录还没有写入日志"})

    return change


def _renumbered(draft: Draft) -> None:
    draft.manifest["items"] = draft.manifest["items"][::-1]


def _another_log(draft: Draft) -> None:
    draft.manifest["log"] = {"origin": STRANGER.name, "key": STRANGER.text}
    draft.files["keys/log.pem"] = pem_of(STRANGER)


def _item_dropped(draft: Draft) -> None:
    draft.manifest["items"] = draft.manifest["items"][1:]
    draft.drop("items/001.png")
    count(draft)


def _files_turned(draft: Draft) -> None:
    draft.manifest["files"] = verify.read_json(manifest_bytes(draft))["files"][::-1]


def _many_checkpoints(draft: Draft) -> None:
    for size in range(1000, 1100):
        draft.add(f"checkpoints/{size}.txt", b"x", "checkpoint")
        draft.manifest["checkpoints"].append({"file": f"checkpoints/{size}.txt", "witnesses": None, "timestamps": []})
    count(draft)


def _large_authorities(draft: Draft) -> None:
    """Only the manifest says so; no file needs to be there for it to be refused."""
    files = verify.read_json(manifest_bytes(draft))["files"]
    files += [{**files[0], "name": f"keys/{number}", "size": 4096, "role": "key"} for number in range(16_384)]
    draft.manifest["files"] = sorted(files, key=lambda one: one["name"])


SIGNED: dict[str, tuple[Change, str, dict[str, Any]]] = {
    # The shape
    "a key too many": (at("more", 1), "manifest", {}),
    "a variant that is none": (at("variant", "half"), "manifest", {}),
    "a float": (at("parts/items", 3.0), "manifest", {}),
    "a truth for a number": (at("parts/ruling", value=True), "manifest", {}),
    "a number beyond JSON's": (at("items/0/size", 2**53), "manifest", {}),
    "a day that is none": (at("made_at", "2026-02-30T00:00:00Z"), "manifest", {}),
    "a later format": (at("format", "kabao-pack/2"), "manifest", {}),
    "a title without end": (at("about/title", "长" * 501), "manifest", {}),
    # Lists, files and parts
    "a wrong count": (at("parts/records", 5), "manifest", {}),
    "timestamps gone without a word": (
        both(
            at("checkpoints/0/timestamps", []),
            lambda draft: [draft.drop(n) for n in [*draft.files] if n.startswith(("timest", "author"))] and None,
            count,
            at("absent", []),
        ),
        "manifest",
        {},
    ),
    "a record that was not logged, without a word": (_unlogged, "manifest", {}),
    "a file no list names": (add("items/009.png", "item"), "manifest", {"entry": "items/009.png"}),
    "an item whose file is a document": (
        at("items/0/file", "documents/listing.json"),
        "manifest",
        {"entry": "documents/listing.json"},
    ),
    "an item whose file is nowhere": (at("items/0/file", "items/777.png"), "manifest", {"entry": "items/777.png"}),
    "an item shown as a preview of another": (at("items/0/file", "previews/002.png"), "manifest", {}),
    "a withheld item with a file": (at("items/0/shown", "withheld"), "manifest", {"item": 1}),
    "an item without a record": (at("items/0/record", None), "manifest", {"item": 1}),
    "numbers that fall": (_renumbered, "manifest", {}),
    "a name with capitals": (add("Items/001.png", "document"), "manifest", {}),
    "a path upwards": (add("../evil", "document"), "manifest", {}),
    "lists that are none": (at("items", {}), "manifest", {}),
    "files in another order": (_files_turned, "manifest", {"code": "order"}),
    "checkpoints without end": (_many_checkpoints, "manifest", {"code": "too_many"}),
    "files too large to be held": (_large_authorities, "manifest", {"code": "too_large"}),
    "a file in a file": (add("pack.pdf/evil", "document"), "manifest", {"entry": "manifest.json"}),
    "a twin of VERIFY.txt": (add("verify.txt", "document"), "manifest", {}),
    "no verifier": (drop("verify.py"), "manifest", {}),
    "no guide": (drop("VERIFY.txt"), "manifest", {}),
    "no key of the log": (drop("keys/log.pem"), "manifest", {}),
    "a manifest in the manifest": (add("manifest.json.bak/manifest.json", "record"), "manifest", {}),
    "a proof too large": (proof(1, b"\n\n", b"\n" * 70_000), "manifest", {"record": 1}),
    "a proof without a commitment": (at("records/0/commitment", None), "manifest", {"record": 1}),
    "no log at all": (both(at("log", None), drop("keys/log.pem")), "manifest", {}),
    "another key in keys/": (file("keys/signer.pem", pem_of(STRANGER)), "keys", {"entry": "keys/signer.pem"}),
    "a key in another spelling": (
        lambda draft: draft.files.update({"keys/log.pem": draft.files["keys/log.pem"] + b"\n"}),
        "keys",
        {"entry": "keys/log.pem"},
    ),
    # Items
    "an item that is another file": (at("items/0/sha256", "0" * 64), "items", {"item": 1}),
    "an item of another size": (at("items/0/size", 7), "items", {"item": 1}),
    "an item by another name": (at("items/0/name", "别的.png"), "items", {"item": 1, "record": 2}),
    "an item of another type": (at("items/0/media_type", "image/gif"), "items", {"item": 1, "record": 2}),
    "an item with a record of another": (at("items/0/record", 4), "items", {"item": 1, "record": 4}),
    "an item with a record of no file": (at("items/0/record", 1), "items", {"item": 1, "record": 1}),
    "an item with a record that is nowhere": (at("items/0/record", 99), "items", {"item": 1, "record": 99}),
    "another original": (file("items/001.png", PICTURE + b"!"), "items", {"item": 1}),
    "another preview": (file("previews/002.png", b"another preview"), "items", {"item": 2, "record": 4}),
    "a preview passed off as the original": (
        both(
            at("items/0/file", "previews/001.png"),
            at("items/0/shown", "original"),
            drop("items/001.png"),
            add("previews/001.png", "preview", PICTURE),
        ),
        "manifest",
        {},
    ),
    # Records
    "another body": (body(3, "请退款".encode(), "不退款".encode()), "records", {"record": 3}),
    "a body that names another kind": (body(3, b"message", b"massage"), "records", {"record": 3}),
    "a body in another spelling": (body(1, b'"by":', b'"by": '), "records", {"record": 1}),
    "a body of another kind": (at("records/2/kind", "case_event"), "records", {"record": 3}),
    "a body of another order": (at("about/order", "7-9999"), "records", {"record": 1}),
    "a body without seconds": (
        file("records/000001.json", body_of(1, "order_event", {}).replace(b".000001Z", b"Z")),
        "records",
        {"record": 1},
    ),
    "a body that is a list": (file("records/000001.json", b"[]"), "records", {"record": 1}),
    "a body that is nested too deeply": (deep(65), "records", {"record": 1}),
    "another commitment": (at("records/0/commitment", "ab" * 32), "proofs", {"record": 1}),
    "another salt": (
        proof(1, b"\nextra ", b"\nextra " + base64.b64encode(bytes(32)) + b"\nindex 2\n"),
        "proofs",
        {"record": 1},
    ),
    # Proofs and the log
    "a proof of another place": (proof(2, b"\nindex 3\n", b"\nindex 4\n"), "proofs", {"record": 2}),
    "a place that is written twice": (proof(2, b"\nindex 3\n", b"\nindex 03\n"), "proofs", {"record": 2}),
    "a place beyond the log": (proof(2, b"\nindex 3\n", b"\nindex 11\n"), "proofs", {"record": 2}),
    "a proof of another record": (_proof_of_another, "proofs", {"record": 1}),
    "a record twice": (_record_twice, "proofs", {"record": 7}),
    "a salt of a withheld record": (_salt_given_away, "proofs", {"record": 5}),
    "no salt where there is a body": (_salt_kept, "proofs", {"record": 1}),
    "an empty salt": (_salt_emptied, "proofs", {"record": 1}),
    "a proof that ends in another checkpoint": (_other_checkpoint, "proofs", {"code": "checkpoints"}),
    "a proof of another version": (proof(1, b"@v1", b"@v2"), "proofs", {"record": 1}),
    "a proof that is no text": (file("proofs/000001.tlog-proof", b"\xff\n\n\n"), "proofs", {"record": 1}),
    "a proof of nothing": (file("proofs/000001.tlog-proof", b"c2sp.org/tlog-proof@v1\n\nx"), "proofs", {"record": 1}),
    "a checkpoint by somebody else": (_signed_by_a_stranger, "checkpoint", {"entry": "checkpoints/11.txt"}),
    "a checkpoint with a cosignature": (_second_signature, "checkpoint", {"entry": "checkpoints/11.txt"}),
    "a checkpoint that is none": (file("checkpoints/11.txt", b"x"), "checkpoint", {"entry": "checkpoints/11.txt"}),
    "a checkpoint that is no text": (
        file("checkpoints/11.txt", b"\xff\n\n"),
        "checkpoint",
        {"entry": "checkpoints/11.txt"},
    ),
    "a checkpoint of another log": (
        file("checkpoints/11.txt", LOG.note("else.example/log\n11\n" + base64.b64encode(bytes(32)).decode() + "\n")),
        "checkpoint",
        {"entry": "checkpoints/11.txt"},
    ),
    "a checkpoint of another size": (
        file("checkpoints/11.txt", LOG.note(f"{LOG.name}\n12\n{base64.b64encode(bytes(32)).decode()}\n")),
        "checkpoint",
        {"entry": "checkpoints/11.txt"},
    ),
    "a root that is too short": (
        file("checkpoints/11.txt", LOG.note(f"{LOG.name}\n11\n{base64.b64encode(bytes(31)).decode()}\n")),
        "checkpoint",
        {"entry": "checkpoints/11.txt"},
    ),
    "the log of somebody else": (_another_log, "checkpoint", {"entry": "checkpoints/11.txt"}),
    "a log key that is none": (at("log/key", "x"), "checkpoint", {"entry": "checkpoints/11.txt"}),
    "a cosignature that is none": (
        file("checkpoints/11.witnesses", b"hello\n"),
        "witnesses",
        {"entry": "checkpoints/11.witnesses"},
    ),
    "a cosignature that is no text": (
        file("checkpoints/11.witnesses", "— witness.example/".encode() + b"\xff AAAA\n"),
        "witnesses",
        {"entry": "checkpoints/11.witnesses"},
    ),
}


@pytest.mark.parametrize("name", SIGNED)
def test_what_is_signed_and_does_not_hold_is_found_and_named(name: str, small: Draft, examine: Examine) -> None:
    change, check, where = SIGNED[name]
    change(small)
    report = examine(bytes_of(small))
    assert report.exit_code == 1
    faults = report.checks[check].faults
    assert report.checks[check].state == "failed"
    assert any({key: getattr(fault, key) for key in where} == where for fault in faults), faults


def test_signed_anew_by_somebody_else_in_the_signers_name_fails(small: Draft, examine: Examine) -> None:
    small.signer = STRANGER
    assert [check.id for check in examine(bytes_of(small)).failed] == ["signature"]


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note + note[note.index("— ".encode()) :],
        lambda note: note.replace(b"\n\n", b"\n\n\n"),
        lambda note: note.replace(b"kabao-pack/1\n", b"kabao-pack/1\n\n"),
        lambda note: note[:-1],
        lambda note: note.replace(b"=", b""),
        lambda note: note.replace(b" ", b"  "),
        lambda note: note + b"\n",
        lambda note: b"\xff" + note,
        lambda _: b"",
        lambda note: note.replace("—".encode(), b"-"),
    ],
)
def test_a_signature_in_another_spelling_fails(
    change: Callable[[bytes], bytes], small: Draft, examine: Examine
) -> None:
    entries = entries_of(small)
    entries["manifest.sig"] = change(entries["manifest.sig"])
    assert "signature" in {check.id for check in examine(zip_of(entries)).failed}


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw + b"\n",
        lambda raw: raw.replace(b'"about":', b'"about": '),
        lambda raw: raw[:-1] + b',"absent":[]}',
        lambda raw: raw.replace("月".encode(), b"\\u6708"),
        lambda raw: raw.replace("月".encode(), b"\\ud800"),
        lambda raw: b'{"zz":1,' + raw[1:],
        lambda raw: raw.replace(b"false", b"0") + b" ",
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: raw[:-1] + b"\xff}",
        lambda _: b"[" * 100_000,
        lambda _: b"[]",
        lambda _: b'{"about":{"case":1e5}}',
        lambda _: b'{"about":{"case":NaN}}',
    ],
)
def test_a_manifest_in_another_spelling_fails_though_it_is_signed(
    change: Callable[[bytes], bytes], small: Draft, examine: Examine
) -> None:
    entries = entries_of(small)
    entries["manifest.json"] = change(entries["manifest.json"])
    entries["manifest.sig"] = signature_of(entries["manifest.json"], SIGNER)
    report = examine(zip_of(entries))
    assert report.exit_code == 1
    assert report.checks["manifest"].state == "failed"
    assert report.checks["zip"].state == "skipped"


def test_a_manifest_of_another_pack_does_not_fit(small: Draft, stamped: Draft, examine: Examine) -> None:
    other = entries_of(stamped)
    mixed = {**entries_of(small), "manifest.json": other["manifest.json"], "manifest.sig": other["manifest.sig"]}
    report = examine(zip_of(mixed))
    assert {"zip", "verifier"} <= {check.id for check in report.failed}
    assert report.checks["signature"].state == "ok"


def test_a_file_that_a_record_tells_of_and_no_item_shows_is_said_to_be_absent(small: Draft, examine: Examine) -> None:
    _item_dropped(small)
    report = examine(bytes_of(small))
    assert report.exit_code == 0
    assert any(part == "items" and "record 2" in said.en for part, said in report.absent)


def test_a_record_that_is_not_logged_is_taken_where_the_pack_says_so(small: Draft, examine: Examine) -> None:
    _unlogged(small)
    small.manifest["absent"].append({"part": "proofs", "why": "一条记录还没有写入日志"})
    report = examine(bytes_of(small))
    assert report.exit_code == 0
    assert report.checks["proofs"].said.en.startswith("5 records")


def test_arrays_and_objects_lie_in_one_another_up_to_64_deep(small: Draft, examine: Examine) -> None:
    deep(64)(small)
    assert examine(bytes_of(small)).exit_code == 0


def test_the_checkpoint_is_the_one_the_stamps_are_over(small: Draft) -> None:
    assert checkpoint_of(small) == LOG.note(checkpoint_text(small.entries))
    assert canonical(small.manifest["log"]).startswith(b'{"key":')


def test_items_whose_records_have_no_bodies_are_said_not_to_be_compared(small: Draft, examine: Examine) -> None:
    report = examine(bytes_of(small))
    assert ("records", "items 3: their records have no bodies to compare") in {
        (part, said.en) for part, said in report.absent
    }


def test_a_signer_whose_name_no_text_can_carry_is_no_signer(small: Draft, examine: Examine) -> None:
    raw = bytes((1,)) + SIGNER.public
    number = sha256("\ud800".encode("utf-8", "surrogatepass") + b"\n" + raw).hexdigest()[:8]
    manifest = json.dumps({"signer": f"\ud800+{number}+{base64.b64encode(raw).decode()}"}).encode()
    report = examine(zip_of({**entries_of(small), "manifest.json": manifest}))
    assert report.exit_code == 1
    msgspec.json.encode(report.as_json())


def test_what_takes_long_to_read_is_not_read(small: Draft, examine: Examine) -> None:
    number = b'{"about":{"case":' + b"9" * 1_000_000 + b"}}"
    assert examine(zip_of({**entries_of(small), "manifest.json": number})).exit_code == 1
    assert verify.read_pem(b"-----BEGIN CERTIFICATE-----\n" * 30_000) == []
    crowd = [*entries_of(small).items(), *((f"x/{one % 9}", b"") for one in range(30_000))]
    assert examine(raw_zip(crowd)).exit_code == 1
