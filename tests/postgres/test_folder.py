import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kabao.postgres import DataFolder, DataFolderBusy, DataFolderRefused, EmbeddedServer, latest_schema


def refused(folder: Path, **options: object) -> DataFolderRefused:
    """Try to start a server and check that a refusal changed nothing."""
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(DataFolderRefused) as caught:
        EmbeddedServer.start(folder, **options)  # type: ignore[arg-type]  # the options of one test each
    if folder.is_dir():
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    return caught.value


def write_version(folder: Path, **changes: object) -> None:
    version = {"kabao": "9.9.9", "schema": 0, "postgres": 18, **changes}
    (folder / "VERSION").write_text(json.dumps(version), "utf-8")


def test_a_fresh_folder_is_made_and_marked_before_it_is_used(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "a" / "b", postgres=18)
    written = json.loads((tmp_path / "a" / "b" / "VERSION").read_bytes())
    assert (written["schema"], written["postgres"]) == (0, 18)
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700
    folder.close()
    folder.close()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    write_version(tmp_path, schema=latest_schema() + 1)
    refusal = refused(tmp_path)
    assert "written by a newer kabao 9.9.9" in refusal.en
    assert "请升级卡保" in refusal.zh


def test_a_folder_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    write_version(tmp_path, postgres=17)
    refusal = refused(tmp_path)
    assert "holds a PostgreSQL 17 database and this kabao runs 18" in refusal.en
    assert "pg_dump" in refusal.zh


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", "utf-8")
    assert "not a kabao data folder" in refused(tmp_path).en


@pytest.mark.parametrize("text", ["", "{", "[]", '{"kabao": 1}', '{"kabao": "1", "schema": "many"}', "\x00" * 9])
def test_a_version_file_that_cannot_be_read_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "VERSION").write_text(text, "utf-8")
    assert "VERSION cannot be read" in refused(tmp_path).en


def test_a_version_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "VERSION").mkdir()
    assert "VERSION cannot be read" in refused(tmp_path).en


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    assert "Not a directory" in refused(tmp_path / "file").en
    assert "Not a directory" in refused(tmp_path / "file" / "below").en


def test_a_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kabao.lock").symlink_to(tmp_path / "elsewhere")
    assert "cannot be used as a data folder" in refused(tmp_path).en
    assert not (tmp_path / "elsewhere").exists()


def test_a_full_disk_is_named(small_disk: Callable[[int], Path]) -> None:
    disk = small_disk(1)
    (disk / "data").mkdir()
    with (disk / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while True:
            filler.write(bytes(4096))
    with pytest.raises(DataFolderRefused, match="is full"):
        DataFolder.open(disk / "data")


def test_a_start_cut_short_before_its_version_begins_again(tmp_path: Path) -> None:
    (tmp_path / "kabao.lock").write_text("half", "utf-8")
    (tmp_path / ".VERSION.4711").write_text("", "utf-8")
    DataFolder.open(tmp_path).close()


def test_the_schema_only_grows(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path, schema=9)
    folder.record_schema(4)
    folder.record_schema(3)
    folder.close()
    again = DataFolder.open(tmp_path, postgres=18, schema=9)
    assert (again.version.schema, again.version.postgres) == (4, 18)
    again.close()
    with pytest.raises(DataFolderRefused, match="schema 4, this one knows 3"):
        DataFolder.open(tmp_path, schema=3)


def test_the_lock_names_its_holder_and_falls_with_it(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path)
    with pytest.raises(DataFolderBusy, match=f"pid {os.getpid()}"):
        DataFolder.open(tmp_path)
    (tmp_path / "kabao.lock").write_text("", "utf-8")
    with pytest.raises(DataFolderBusy, match="pid 0"):
        DataFolder.open(tmp_path)
    folder.close()
    DataFolder.open(tmp_path).close()


def test_the_known_schema_is_the_newest_migration() -> None:
    assert latest_schema() >= 3
