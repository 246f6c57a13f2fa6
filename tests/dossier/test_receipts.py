"""Each party can hold in hand, for every record, the proof that it stands in the public log."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from archive import MERCHANTS_WORDS, Archive
from dispute import code
from kabao.dossier import ReceiptFile, Receipts
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database
from kabao.tlog.proofs import parse_proof
from market import open_account, person


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    return await Archive.ready(database, tmp_path)


def listed(answer: Receipts | Refused) -> Receipts:
    assert isinstance(answer, Receipts), answer
    return answer


def held(answer: ReceiptFile | Refused) -> ReceiptFile:
    assert isinstance(answer, ReceiptFile), answer
    return answer


async def test_what_is_not_logged_yet_is_shown_as_waiting(archive: Archive) -> None:
    case = await archive.story()
    before = listed(await archive.receipts.receipts(archive.desk.market.buyer, case.ref))
    assert before.receipts == []
    assert before.waiting > 12
    await archive.sequence()
    after = listed(await archive.receipts.receipts(archive.desk.market.buyer, case.ref))
    assert after.waiting == 0
    assert len(after.receipts) == before.waiting == after.size


async def test_both_parties_and_support_see_the_same_receipts(archive: Archive) -> None:
    case = await archive.story()
    await archive.sequence()
    market = archive.desk.market
    seen = [
        listed(await archive.receipts.receipts(who, ref))
        for who in (market.buyer, market.owner, market.staff)
        for ref in (case.ref, case.order.ref)
    ]
    assert all(one == seen[0] for one in seen)
    assert any(MERCHANTS_WORDS in one.text for one in seen[0].receipts)


async def test_a_receipt_s_proof_and_body_go_together(archive: Archive) -> None:
    case = await archive.story()
    await archive.sequence()
    buyer = archive.desk.market.buyer
    for receipt in listed(await archive.receipts.receipts(buyer, case.ref)).receipts:
        proof = parse_proof(held(await archive.receipts.proof(buyer, case.ref, receipt.record_id)).content)
        body = held(await archive.receipts.body(buyer, case.ref, receipt.record_id)).content
        assert proof.position == receipt.record_id
        assert proof.extra is not None
        assert sha256(proof.extra + body).hexdigest() == receipt.commitment


async def test_a_stranger_finds_no_receipt(archive: Archive) -> None:
    case = await archive.story()
    await archive.sequence()
    stranger = person(await open_account(archive.desk.database))
    assert code(await archive.receipts.receipts(stranger, case.ref)) is Refusal.NOT_FOUND
    assert code(await archive.receipts.proof(stranger, case.ref, 0)) is Refusal.NOT_FOUND
    assert code(await archive.receipts.body(stranger, case.order.ref, 0)) is Refusal.NOT_FOUND


async def test_a_record_of_another_order_is_not_found_here(archive: Archive) -> None:
    case = await archive.story()
    await archive.desk.bought()
    await archive.sequence()
    buyer = archive.desk.market.buyer
    size = listed(await archive.receipts.receipts(buyer, case.ref)).size
    assert code(await archive.receipts.proof(buyer, case.ref, size - 1)) is Refusal.NOT_FOUND
    assert code(await archive.receipts.body(buyer, case.ref, 2**62)) is Refusal.NOT_FOUND


async def test_receipts_are_mailed_once_to_both_parties(archive: Archive) -> None:
    await archive.story()
    await archive.sequence()
    assert await archive.receipts.mail() == (await archive.log.head()).size
    assert await archive.receipts.mail() == 0
    market = archive.desk.market
    assert {account for account, *_ in archive.letters.sent} == {market.buyer_id, market.owner_id}
    for _, kind, subject, text, proofs in archive.letters.sent:
        assert kind == "receipt"
        assert "证据回执" in subject
        assert archive.log.verifier_key in text
        for proof in proofs:
            assert parse_proof(proof.content).extra is not None
    mine = [
        proof.name for account, *_, proofs in archive.letters.sent if account == market.buyer_id for proof in proofs
    ]
    assert len(mine) == len(set(mine)) > 6


async def test_nothing_is_mailed_before_it_is_signed(archive: Archive) -> None:
    await archive.story()
    assert await archive.receipts.mail() == 0
    assert archive.letters.sent == []


async def test_what_happened_long_before_it_was_logged_is_mailed_to_nobody(archive: Archive) -> None:
    await archive.story()
    archive.desk.pass_time(timedelta(days=2))
    await archive.sequence()
    assert await archive.receipts.mail() > 0
    assert archive.letters.sent == []
