"""What the operator names for the log and its timestamps, read from the environment and refused in a sentence."""

from pathlib import Path

import pytest

from kabao.postgres import Database, ExplainedError
from kabao.wiring import Settings, build

BAD = [
    {"KABAO_TIMESTAMP_AUTHORITIES": "nonsense"},
    {"KABAO_LOG_WITNESSES": "nonsense"},
]


@pytest.mark.parametrize("environment", BAD, ids=lambda one: next(iter(one)))
async def test_what_cannot_be_read_is_refused_at_the_start(
    database: Database, tmp_path: Path, environment: dict[str, str]
) -> None:
    with pytest.raises(ExplainedError):
        await build(Settings.of(tmp_path, environment=environment), database)


async def test_the_log_keeps_its_name_when_the_site_moves(database: Database, tmp_path: Path) -> None:
    first = await build(
        Settings.of(tmp_path, environment={"KABAO_PUBLIC_ORIGIN": "https://old.kabao.example"}), database
    )
    assert (await first.foundations.log.head()).size == 0
    assert await first.foundations.not_before() == b""
    moved = await build(
        Settings.of(tmp_path, environment={"KABAO_PUBLIC_ORIGIN": "https://new.kabao.example"}), database
    )
    assert moved.foundations.log.origin == first.foundations.log.origin == "old.kabao.example/log"
    assert moved.pack_keys.logs == first.pack_keys.logs
    renamed = await build(Settings.of(tmp_path, environment={"KABAO_LOG_ORIGIN": "another"}), database)
    with pytest.raises(ExplainedError):
        await renamed.foundations.log.head()


async def test_a_demo_has_simulated_authorities_and_its_folder_goes_on_with_them(
    database: Database, tmp_path: Path
) -> None:
    assert (await build(Settings(data=tmp_path), database)).foundations.stamps.authorities == ()
    demo = await build(Settings(data=tmp_path, has_simulated_authorities=True), database)
    later = await build(Settings(data=tmp_path), database)
    names = [authority.name for authority in demo.foundations.stamps.authorities]
    assert names == [authority.name for authority in later.foundations.stamps.authorities]
    assert len(later.pack_keys.roots) == len(names) == 2
