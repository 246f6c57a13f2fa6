"""Saved cases of self-help: limits, keys, days told once, endings counted, and bytes that open for nobody else."""

import asyncio
import io
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from obstore.store import LocalStore

from helpstories import NOW, at, told
from kabao.figures.store import public_counts
from kabao.helpcases import CaseKeyLost, HelpCases, HelpFiles, HelpState, SavedCase
from kabao.helpcases.model import LARGEST_FILE, MOST_CASES
from kabao.helpcases.rules import with_letter
from kabao.helpcases.sealing import PIECE, CaseUnreadable, plain_pieces, sealed_pieces
from kabao.identity import Person, Role
from kabao.kernel import FixedClock, IdSource, Refusal, Refused
from kabao.notices import NoticeService, Topic
from kabao.notices.rules import topic_of
from kabao.postgres import Database, load_queries
from kabao.selfhelp import Ending, EndKind, Kind, RuleClause, Side, To
from market import open_account, person
from media import picture

DAY = timedelta(days=1)
CASE = SavedCase(state=HelpState(story=told("key_invalid")), seed=b"s" * 32)


class Home:
    """The cases of one person, and a clock."""

    def __init__(self, database: Database, folder: Path, me: Person) -> None:
        self.clock, self.me, self.database = FixedClock(NOW), me, database
        self.notices = NoticeService(database=database, clock=self.clock, ids=IdSource())
        self.cases = self.by(b"k" * 32, folder)
        self.files = HelpFiles(self.cases, folder.with_name("workshop"))

    def by(self, key: bytes, folder: Path) -> HelpCases:
        blobs = LocalStore(folder, mkdir=True)
        base = {"database": self.database, "clock": self.clock, "ids": IdSource()}
        return HelpCases(**base, key=key, blobs=blobs, notices=self.notices)  # type: ignore[arg-type]

    async def save(self, case: SavedCase = CASE) -> int:
        saved = await self.cases.save(self.me.account_id, case)
        assert not isinstance(saved, Refused)
        return saved.case_id


@pytest.fixture
async def home(database: Database, owner_database: Database, tmp_path: Path) -> Home:
    account = await open_account(owner_database, "u")
    return Home(database, tmp_path / "blobs", person(account, Role.BUYER))


def code(answer: object) -> Refusal | None:
    return answer.code if isinstance(answer, Refused) else None


async def test_each_day_is_told_once_and_none_of_a_closed_or_deleted_case(home: Home) -> None:
    clause = RuleClause(of=Side.PLATFORM, where="秘密的条款", says="14 天", hours=24 * 14)
    story = msgspec.structs.replace(CASE.state.story, clauses=(clause,))
    case_id = await home.save(msgspec.structs.replace(CASE, state=HelpState(story=story)))
    me = home.me.account_id
    await home.cases.change(me, case_id, lambda held: with_letter(held, To.MERCHANT, at(25), at(27), "信"))
    assert await home.cases.remind() == 0
    home.clock.at = at(26).at
    assert [await home.cases.remind(), await home.cases.remind()] == [1, 0]
    home.clock.at = at(27, 13).at  # late: the end of the letter's time is told, its hours before are not any more
    assert [await home.cases.remind(), await home.cases.remind()] == [2, 0]
    told_of = [(one.kind, one.subject, one.link) for one in await home.notices.inbox(home.me)]
    assert sorted(subject.partition("，")[0].removeprefix("我的维权：") for _, subject, _ in told_of) == [
        "商家答复期满", "商家答复期满。没有答复的", "平台规则里的期限",
    ]  # fmt: skip
    assert {(kind, link) for kind, _, link in told_of} == {("due_help", f"/help-me/cases/{case_id}")}
    assert "秘密的条款" not in str(told_of)
    assert topic_of("due_help") is Topic.REMINDERS
    for ending, expected in ((Ending(kind=EndKind.REFUNDED, at=at(27), public=True), None), (None, "later")):
        await home.cases.end(me, case_id, ending)
        due = await home.database.fetchval("SELECT remind_at FROM help_case")
        assert (due is None) == (expected is None)
    insert = "INSERT INTO help_outcome SELECT n, '2026-11-01', 'refused' FROM generate_series(1, 19) n"
    await home.database.execute(insert)
    async with home.database.connection() as conn:
        counted = {one.key: one.cases for one in await public_counts(conn, None) if one.section == "elsewhere"}
    assert counted == {"refused": 19, "refunded": 1}
    async with home.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plan = await conn.fetch(f"EXPLAIN {load_queries('kabao.helpcases').due_case}", None)
    assert "help_case_remind" in str(plan)
    assert await home.cases.delete(me, case_id) is None
    assert await home.notices.inbox(home.me) == []
    assert code(await home.cases.delete(me, case_id)) is Refusal.NOT_FOUND
    assert code(await home.cases.end(me, case_id, None)) is Refusal.NOT_FOUND


async def test_cases_have_limits_and_open_under_the_servers_key_alone(home: Home, tmp_path: Path) -> None:
    noise = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(900_000))
    much = msgspec.structs.replace(CASE, sent={"a": noise})
    me = home.me.account_id
    assert code(await home.cases.save(me, much)) is Refusal.HELP_CASE_TOO_LARGE
    case_id = await home.save()
    assert code(await home.cases.change(me, case_id, lambda _: much)) is Refusal.HELP_CASE_TOO_LARGE
    both = await asyncio.gather(*(home.cases.rewrite(me, case_id, 1, CASE.state) for _ in range(2)))
    assert sorted(str(code(one)) for one in both) == ["None", "help_case_changed"]
    for _ in range(MOST_CASES - 1):
        await home.save()
    assert code(await home.cases.save(me, CASE)) is Refusal.HELP_CASES_FULL
    assert len(await home.cases.cases(me)) == MOST_CASES
    await home.cases.probe()
    with pytest.raises(CaseUnreadable):
        await home.by(b"o" * 32, tmp_path / "blobs").find(me, case_id)
    with pytest.raises(CaseKeyLost):
        await home.by(b"o" * 32, tmp_path / "blobs").probe()
    await home.database.execute("UPDATE help_case SET sealed = sealed || '\\x00' WHERE case_id = $1", case_id)
    with pytest.raises(CaseUnreadable):
        await home.cases.find(me, case_id)
    await home.database.execute("UPDATE help_case SET remind_at = '2026-11-01' WHERE case_id = $1", case_id)
    assert [await home.cases.remind(), await home.cases.delete(me, case_id)] == [0, None]


async def test_files_are_given_back_whole_or_not_at_all_and_nothing_is_left_lying(home: Home, tmp_path: Path) -> None:
    me, case_id = home.me.account_id, await home.save()

    async def stream(content: bytes) -> AsyncIterator[bytes]:
        yield content

    content = picture("PNG")
    one = await home.files.add(me, case_id, "a.png", stream(content), kind=Kind.SCREENSHOT, shows=())
    assert not isinstance(one, Refused)
    [file_id] = one.case.files.values()
    assert one.story.evidence[0].added_at == NOW
    for name, said in (("a.png", Refusal.FILE_ALREADY_THERE), ("b.pdf", Refusal.FILE_NAME_MISLEADS)):
        again = await home.files.add(me, case_id, name, stream(content), kind=Kind.SCREENSHOT, shows=())
        assert code(again) is said

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(LARGEST_FILE // PIECE + 1):
            yield bytes(PIECE)

    large = await home.files.add(me, case_id, "a.png", endless(), kind=Kind.SCREENSHOT, shows=())
    assert code(large) is Refusal.HELP_FILES_FULL
    other = await home.files.add(me, case_id + 1, "a.png", stream(content), kind=Kind.SCREENSHOT, shows=())
    assert code(other) is code(await home.files.remove(me, case_id + 1, file_id)) is Refusal.NOT_FOUND
    assert code(await home.files.read(me, case_id, file_id + 1)) is Refusal.NOT_FOUND
    assert code(await home.files.made_of(me, case_id + 1, lambda *_: None)) is Refusal.NOT_FOUND
    workshop = tmp_path / "workshop"

    def crash(_view: object, place: Path, *_: object) -> None:
        assert (place / "evidence" / "a.png").read_bytes() == content
        assert (workshop.stat().st_mode & 0o777, place.stat().st_mode & 0o777) == (0o700, 0o700)
        shutil.copytree(place, workshop / "left")
        raise InterruptedError

    with pytest.raises(InterruptedError):
        await home.files.made_of(me, case_id, crash)
    assert [one.name for one in workshop.iterdir()] == ["left"]
    assert [await home.files.sweep(), await home.files.sweep(timedelta(seconds=-1))] == [0, 1]
    await home.files.remove(me, case_id, file_id)
    assert await home.database.fetch("SELECT 1 FROM help_file") == []


async def test_a_file_cut_swapped_or_moved_does_not_open() -> None:
    content = io.BytesIO(b"0123456789" * (PIECE // 5)).getvalue()
    pieces = [content[start : start + PIECE] for start in range(0, len(content), PIECE)]
    sealed = list(sealed_pieces(b"k" * 32, 7, pieces))

    async def opened(parts: list[bytes], file_id: int = 7) -> bytes:
        async def stream() -> AsyncIterator[bytes]:
            whole = b"".join(parts)
            for start in range(0, len(whole), 400_000):
                yield whole[start : start + 400_000]

        return b"".join([piece async for piece in plain_pieces(b"k" * 32, file_id, stream())])

    assert await opened(sealed) == content
    assert await opened(list(sealed_pieces(b"k" * 32, 7, []))) == b""
    for parts, file_id in ((sealed[:1], 7), (sealed[::-1], 7), (sealed, 8), ([], 7)):
        with pytest.raises(CaseUnreadable):
            await opened(parts, file_id)
