"""Checkpoints are timestamped every ten minutes while the log grows, and at once after a ruling."""

from hashlib import sha256
from pathlib import Path

import pytest

from archive import Archive
from kabao.dossier.stamping import EVERY_SECONDS, CheckpointStamper
from kabao.kernel import Refused
from kabao.postgres import Database


class Watch:
    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def archive(database: Database, tmp_path: Path) -> Archive:
    return await Archive.ready(database, tmp_path)


async def wanted(archive: Archive) -> bool:
    return bool(await archive.stamps.of(sha256((await archive.log.head()).note).digest()))


async def test_an_empty_log_is_not_stamped(archive: Archive) -> None:
    watch = Watch()
    stamper = CheckpointStamper(database=archive.desk.database, log=archive.log, stamps=archive.stamps, seconds=watch)
    assert not await stamper.run()


async def test_growth_is_stamped_after_ten_minutes_and_a_ruling_at_once(archive: Archive) -> None:
    desk, watch = archive.desk, Watch()
    stamper = CheckpointStamper(database=desk.database, log=archive.log, stamps=archive.stamps, seconds=watch)
    await desk.bought()
    await archive.sequence()
    assert await stamper.run()
    assert await wanted(archive)
    assert not await stamper.run()

    order_id = await desk.bought()
    said = await desk.evidence.say(
        None, desk.market.shop_id, order_id, desk.market.buyer_id, "buyer", '他写道："event":"ruled"'
    )
    assert not isinstance(said, Refused)
    await archive.sequence()
    assert not await stamper.run()
    assert not await wanted(archive)
    watch.at += EVERY_SECONDS
    assert await stamper.run()
    assert await wanted(archive)
    watch.at += EVERY_SECONDS
    assert not await stamper.run()

    await archive.story()
    await archive.sequence()
    assert await stamper.run()
    assert await wanted(archive)
