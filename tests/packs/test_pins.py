"""What the reader trusts beforehand, and which checkpoint it must hold for."""

from hashlib import sha256

from kabao.packs import known_verifiers, verify
from packbuilder import LOG, SIGNER, STRANGER, WITNESS, Draft, bytes_of, checkpoint_text, count, pem_of

from .conftest import Examine
from .stampmaker import maker, stamp


def test_a_pack_of_another_signer_is_told_and_with_a_pinned_key_refused(small: Draft, examine: Examine) -> None:
    small.signer = STRANGER
    small.manifest["signer"] = STRANGER.text
    small.files["keys/signer.pem"] = pem_of(STRANGER)
    whole = bytes_of(small)
    report = examine(whole)
    assert report.exit_code == 0
    assert any(STRANGER.text in note.en for note in report.notes)
    report = examine(whole, verify.pins_of(signers=[SIGNER.text]))
    assert [check.id for check in report.failed] == ["signature"]
    assert examine(whole, verify.pins_of(signers=[SIGNER.text, STRANGER.text])).exit_code == 0


def test_pinned_logs_and_witnesses_are_asked_for(small: Draft, examine: Examine) -> None:
    whole = bytes_of(small)
    assert examine(whole, verify.pins_of(logs=[LOG.text], witnesses=[WITNESS.text])).exit_code == 0
    report = examine(whole, verify.pins_of(logs=[STRANGER.text]))
    assert [check.id for check in report.failed] == ["checkpoint"]
    stranger = WITNESS.__class__("witness.example/w2", b"\x09" * 32, 4)
    report = examine(whole, verify.pins_of(witnesses=[stranger.text]))
    assert [check.id for check in report.failed] == ["witnesses"]


def test_a_cosignature_must_be_over_this_checkpoint(small: Draft, examine: Examine) -> None:
    small.files["checkpoints/11.witnesses"] = WITNESS.cosignature("else.example\n1\nAA==\n", 5).encode()
    report = examine(bytes_of(small), verify.pins_of(witnesses=[WITNESS.text]))
    assert report.checks["witnesses"].state == "failed"
    small.files["checkpoints/11.witnesses"] = WITNESS.line(b"short").encode()
    report = examine(bytes_of(small), verify.pins_of(witnesses=[WITNESS.text]))
    assert report.checks["witnesses"].state == "failed"


def test_a_known_release_is_asked_for(stamped: Draft, small: Draft, examine: Examine) -> None:
    own = verify.pins_of(verifiers=[stamped_digest(stamped)])
    assert examine(bytes_of(stamped), own).exit_code == 0
    report = examine(bytes_of(small), own)
    assert [check.id for check in report.failed] == ["verifier"]
    assert report.checks["verifier"].faults[0].entry == "verify.py"


def test_a_release_that_the_reader_does_not_know_is_told_and_no_fault_of_the_pack(
    stamped: Draft, small: Draft, examine: Examine
) -> None:
    known = verify.pins_of(known_verifiers=known_verifiers())
    assert not any("no release" in note.en for note in examine(bytes_of(stamped), known).notes)
    report = examine(bytes_of(small), known)
    assert report.exit_code == 0
    assert "Hint: the verify.py in the pack is no release that is known here; do not run it." in {
        note.en for note in report.notes
    }


def stamped_digest(draft: Draft) -> str:
    return sha256(draft.files["verify.py"]).hexdigest().upper()


def test_a_cosignature_counts_only_under_the_checkpoint_of_the_proofs(small: Draft, examine: Examine) -> None:
    text = checkpoint_text(small.entries[:10])
    small.drop("checkpoints/11.witnesses")
    small.add("checkpoints/10.txt", LOG.note(text), "checkpoint")
    small.add("checkpoints/10.witnesses", WITNESS.cosignature(text, 7).encode(), "witnesses")
    small.manifest["checkpoints"][0]["witnesses"] = None
    small.manifest["checkpoints"].append(
        {"file": "checkpoints/10.txt", "witnesses": "checkpoints/10.witnesses", "timestamps": []}
    )
    count(small)
    report = examine(bytes_of(small), verify.pins_of(witnesses=[WITNESS.text]))
    assert [check.id for check in report.failed] == ["witnesses"]
    assert [one["checkpoint"] for one in report.cosignatures] == ["checkpoints/10.txt"]


def test_two_witnesses_of_one_name_are_two(small: Draft, examine: Examine) -> None:
    other = WITNESS.__class__(WITNESS.name, b"\x09" * 32, 4)
    report = examine(bytes_of(small), verify.pins_of(witnesses=[WITNESS.text, other.text]))
    assert [check.id for check in report.failed] == ["witnesses"]


def test_stamps_over_another_checkpoint_than_the_proofs_are_told(stamped: Draft, examine: Examine) -> None:
    note = LOG.note(checkpoint_text(stamped.entries[:10]))
    stamps = stamped.manifest["checkpoints"][0]["timestamps"]
    by = maker()
    for one in stamps:
        stamped.drop(one["file"])
        stamped.drop(one["roots"])
    stamped.manifest["checkpoints"][0]["timestamps"] = []
    stamped.add("checkpoints/10.txt", note, "checkpoint")
    stamped.add("timestamps/10-x.tsr", stamp(note, by), "timestamp")
    stamped.add("authorities/x.pem", by.roots_pem, "authority")
    stamped.manifest["checkpoints"].append(
        {
            "file": "checkpoints/10.txt",
            "witnesses": None,
            "timestamps": [{"authority": "x", "file": "timestamps/10-x.tsr", "roots": "authorities/x.pem"}],
        }
    )
    count(stamped)
    report = examine(bytes_of(stamped))
    assert report.exit_code == 0
    assert any(part == "timestamps" and "has no timestamp" in said.en for part, said in report.absent)
