"""Witnesses: one that speaks the protocol by itself, and everything a bad one may do."""

from collections.abc import Iterator

import pytest
from tlog_scales.tlog import Checkpoint as TheirCheckpoint

from kabao.kernel import DatabaseClock
from kabao.postgres import Database
from kabao.tlog import HttpWitnessPost, TransparencyLog, WitnessesRefused, WitnessService, read_witnesses
from kabao.tlog.witness import write_request
from logbook import happen, log_over, logged
from watcher import NAME, Watcher, serving


class Hands:
    """A stopwatch that stands until it is moved."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def log(books: Database) -> TransparencyLog:
    await happen(books, 0, 300)
    log = log_over(books)
    await logged(log)
    return log


@pytest.fixture
def watcher(log: TransparencyLog) -> Iterator[Watcher]:
    with serving(Watcher(log.verifier_key)) as watcher:
        yield watcher


def service(
    books: Database, log: TransparencyLog, text: str, *, seconds: float = 5.0, hands: Hands | None = None
) -> WitnessService:
    return WitnessService(
        database=books,
        clock=DatabaseClock(),
        transparency=log,
        witnesses=read_witnesses(text),
        post=HttpWitnessPost(seconds=seconds),
        monotonic=hands or Hands(),
    )


async def test_a_witness_cosigns_each_newest_checkpoint(
    books: Database, log: TransparencyLog, watcher: Watcher
) -> None:
    witnesses = service(books, log, watcher.text)
    assert await witnesses.run() == 1
    assert await witnesses.run() == 0
    await happen(books, 300, 123)
    await logged(log)
    assert await witnesses.run() == 1
    assert [path for path, _ in watcher.asked] == ["/w/add-checkpoint"] * 2
    assert [body.split(b"\n")[0] for _, body in watcher.asked] == [b"old 0", b"old 300"]
    assert watcher.size == 423
    head = await log.head()
    lines = await log.cosignatures(423)
    assert lines.count(b"\n") == 1
    TheirCheckpoint.from_text((head.note + lines).decode()).verify(watcher.vkey)
    [standing] = await witnesses.standings()
    assert (standing.name, standing.size, standing.trouble) == (NAME, 423, "")
    assert (await log.audit()).cosignatures == 2


async def test_a_witness_that_knows_the_log_already_is_asked_again_from_there(
    books: Database, log: TransparencyLog, watcher: Watcher
) -> None:
    """As after the loss of our own record, or where somebody else has fed it."""
    await service(books, log, watcher.text).run()
    await happen(books, 300, 50)
    await logged(log)
    fresh = Watcher(log.verifier_key, seed=b"v" * 32)
    fresh.size, fresh.root = watcher.size, watcher.root
    with serving(fresh):
        assert await service(books, log, fresh.text).run() == 1
    assert [body.split(b"\n")[0] for _, body in fresh.asked] == [b"old 0", b"old 300"]


@pytest.mark.parametrize(
    ("misdeed", "trouble"),
    [
        ("500", "it answered 500"),
        ("404", "it answered 404"),
        ("302", "it answered 302"),
        ("silent", "its answer holds no signature lines"),
        ("stranger", "its answer holds no cosignature of its own over this checkpoint"),
        ("other tree", "its answer holds no cosignature of its own over this checkpoint"),
        ("huge", "an answer longer than 64 KB"),
        ("cut", "IncompleteRead"),
        ("slow", "no answer in time"),
        ("drip", "no answer in time"),
    ],
)
async def test_a_bad_witness_is_told_and_asked_again_later(
    books: Database, log: TransparencyLog, watcher: Watcher, misdeed: str, trouble: str
) -> None:
    hands = Hands()
    witnesses = service(books, log, watcher.text, seconds=1.0, hands=hands)
    watcher.misdeed = misdeed
    assert await witnesses.run() == 0
    [standing] = await witnesses.standings()
    assert (standing.size, standing.trouble) == (None, trouble)
    assert await log.cosignatures(300) == b""
    watcher.misdeed = ""
    assert await witnesses.run() == 0
    hands.at += 10
    # Some misdeeds were done after the witness had taken the tree in.
    assert await witnesses.run() == 1
    [standing] = await witnesses.standings()
    assert (standing.size, standing.trouble) == (300, "")


async def test_a_witness_that_claims_a_larger_tree_is_told(
    books: Database, log: TransparencyLog, watcher: Watcher
) -> None:
    watcher.size, watcher.misdeed = 7, "knows more"
    witnesses = service(books, log, watcher.text)
    assert await witnesses.run() == 0
    [standing] = await witnesses.standings()
    assert standing.trouble == "it says it has cosigned a larger tree than this log has"


async def test_a_dead_witness_waits_ever_longer_and_holds_up_no_other(
    books: Database, log: TransparencyLog, watcher: Watcher
) -> None:
    with serving(Watcher(log.verifier_key, seed=b"d" * 32, name="dead.test")) as dead:
        dead_text = dead.text
    hands = Hands()
    witnesses = service(books, log, f"{dead_text}; {watcher.text}", hands=hands)
    assert await witnesses.run() == 1
    for pause in (10, 20, 40, 80):
        hands.at += pause - 1
        await happen(books, int(300 + hands.at), 1)
        await logged(log)
        assert await witnesses.run() == 1
        before = (await witnesses.standings())[0].trouble
        assert before == "ConnectionRefusedError"
        hands.at += 1
        await witnesses.run()
    assert dead.asked == []


async def test_an_empty_list_asks_nobody(books: Database, log: TransparencyLog) -> None:
    assert await service(books, log, "").run() == 0
    assert await service(books, log, "").standings() == []


async def test_the_empty_tree_is_not_submitted(books: Database) -> None:
    log = log_over(books)
    with serving(Watcher(log.verifier_key)) as watcher:
        assert await service(books, log, watcher.text).run() == 0
        assert watcher.asked == []


async def test_a_witness_without_a_trusted_certificate_is_told(
    books: Database, log: TransparencyLog, watcher: Watcher
) -> None:
    text = watcher.text.replace("http://127.0.0.1", "https://127.0.0.1")
    witnesses = service(books, log, text, seconds=2.0)
    assert await witnesses.run() == 0
    [standing] = await witnesses.standings()
    assert standing.trouble == "no trusted TLS connection"


def test_the_request_is_written_as_the_document_shows() -> None:
    body = write_request(20_852_014, [bytes(32), b"\xff" * 32], b"log\n5\n...\n")
    assert body.decode().split("\n") == [
        "old 20852014", "A" * 43 + "=", "/" * 42 + "8=", "", "log", "5", "...", "",
    ]  # fmt: skip
    assert write_request(0, [], b"log\n") == b"old 0\n\nlog\n"


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "https://witness.test",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG",
        "rgdd.se/poc-witness+db03732f+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG https://witness.test",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG http://witness.test",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG ftp://127.0.0.1",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG https://a@witness.test",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG https://witness.test/?a=1",
        "rgdd.se/poc-witness+db03732e+BCjJKlo6BU0xfIb8LutqerIFTWIXEA0L5n3tW3QyPFgG https://witness.test:99999",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k https://witness.test",
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_the_item(text: str) -> None:
    good = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2 https://witness.test/"
    with pytest.raises(WitnessesRefused) as refused:
        read_witnesses(f"{good}; {text}")
    assert "第 2 项" in refused.value.zh
    assert "Witness 2" in refused.value.en
    with pytest.raises(WitnessesRefused):
        read_witnesses(f"{good};{good}")
    assert [one.url for one in read_witnesses(f" {good} ;")] == ["https://witness.test"]
