"""A changed bit anywhere in the store of evidence is found by whoever reads the file."""

import random
from pathlib import Path

import pytest
from obstore.store import LocalStore

from kabao.evidence import BlobDamaged, Blobs
from kabao.evidence.blobs import Condition
from kabao.evidence.rules import blob_path

SEED = 20261124
FLIPS = 3000


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


async def test_a_flipped_bit_is_found_by_whoever_reads_the_file(tmp_path: Path) -> None:
    drawn = random.Random(SEED)  # noqa: S311  a fixed sample
    blobs = Blobs(LocalStore(tmp_path, mkdir=True))
    contents = [drawn.randbytes(drawn.randrange(1, 4000)) for _ in range(30)]
    digests = [await blobs.put(content) for content in contents]
    found = 0
    for _ in range(FLIPS):
        chosen = drawn.randrange(len(contents))
        path, bit = tmp_path / blob_path(digests[chosen]), drawn.randrange(8 * len(contents[chosen]))
        flip(path, bit)
        with pytest.raises(BlobDamaged):
            await blobs.get(digests[chosen])
        found += await blobs.condition(digests[chosen]) is Condition.CHANGED
        flip(path, bit)
    assert found == FLIPS
    assert [await blobs.condition(digest) for digest in digests] == [Condition.WHOLE] * len(digests)
