"""One demo market a module, served by the program itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from program import Serving, begin


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, logs: Path) -> Iterator[tuple[Path, Serving]]:
    """A demo market that is being served."""
    data = tmp_path_factory.mktemp("demo") / "data"
    serving = begin("demo", data, logs)
    try:
        yield data, serving
    finally:
        assert serving.stop() == 0
