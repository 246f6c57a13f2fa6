"""Trees, tiles and proofs: published vectors, a naive tree, and an implementation that is not ours."""

from collections.abc import Sequence
from hashlib import sha256
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tlog_scales.reader import TilesReader
from tlog_scales.tlog import ConsistencyProof, ConsistencyProofInvalid, InclusionProof, InclusionProofInvalid

from kabao.tlog.merkle import (
    EMPTY_ROOT,
    Span,
    consistency_spans,
    inclusion_spans,
    is_consistent,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)
from kabao.tlog.tiles import (
    ENTRIES,
    WIDTH,
    TileId,
    TilePath,
    TilesIncompleteError,
    bundle,
    edge_of,
    grow,
    hash_of,
    parse_tile_path,
    tile_path,
    tiles_of,
    width_at,
)

# The reference leaves, roots and proofs of Certificate Transparency (transparency-dev/merkle, testonly).
CT_LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
CT_ROOTS = [
    bytes.fromhex(text)
    for text in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
CT_INCLUSION = {
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
}
CT_CONSISTENCY = {
    (2, 8): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """The tree hash as RFC 6962, 2.1 defines it, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def commitment(number: int) -> bytes:
    return sha256(f"entry {number}".encode()).digest()


class Grown:
    """A log's tiles, grown batch by batch."""

    def __init__(self) -> None:
        self.size = 0
        self.root = EMPTY_ROOT
        self.tiles: dict[TileId, bytes] = {}

    def add(self, count: int) -> None:
        entries = [commitment(number) for number in range(self.size, self.size + count)]
        edge = {tile: self.tiles[tile] for tile in edge_of(self.size)}
        self.size, self.root, changed = grow(edge, self.size, entries)
        self.tiles |= changed

    def proof(self, spans: list[Span]) -> list[bytes]:
        wanted = {tile: self.tiles[tile] for tile in tiles_of(spans)}
        return [hash_of(span, wanted) for span in spans]

    def get(self, *path: str) -> bytes | None:
        """Serve a tile, as tlog-scales asks for one."""
        found = parse_tile_path("/".join(path[1:]))
        assert found is not None
        tile, width = found
        held = self.tiles.get(tile, b"")[: width * 32]
        if len(held) < width * 32:
            return None
        return bundle(held) if tile.level == ENTRIES else held


@pytest.fixture(scope="module")
def tall() -> Grown:
    """A tree of 70,000 leaves: three levels of tiles, none of them full at the edge."""
    grown = Grown()
    while grown.size < 70_000:
        grown.add(min(2_000, 70_000 - grown.size))
    return grown


def test_the_reference_tree_has_its_published_roots() -> None:
    hashes = [leaf_hash(leaf) for leaf in CT_LEAVES]
    assert [root_of(hashes[:size]) for size in range(9)] == CT_ROOTS


def test_the_reference_tree_has_its_published_proofs() -> None:
    hashes = [leaf_hash(leaf) for leaf in CT_LEAVES]
    for (index, size), expected in CT_INCLUSION.items():
        proof = [root_of(hashes[span.start : span.end]) for span in inclusion_spans(index, size)]
        assert [step.hex() for step in proof] == list(expected)
        assert is_included(hashes[index], index, size, proof, CT_ROOTS[size])
    for (old, new), expected in CT_CONSISTENCY.items():
        proof = [root_of(hashes[span.start : span.end]) for span in consistency_spans(old, new)]
        assert [step.hex() for step in proof] == list(expected)
        assert is_consistent(old, new, CT_ROOTS[old], CT_ROOTS[new], proof)


def test_the_seven_leaves_of_rfc_6962_have_the_proofs_drawn_there() -> None:
    """RFC 6962, 2.1.3: the audit paths and consistency proofs of its example, by the names in the picture."""
    a, b, c, d, e, f, j = (leaf_hash(bytes([number])) for number in range(7))
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741  the picture's own letters
    leaves, root = [a, b, c, d, e, f, j], node_hash(k, l)

    def hashed(spans: list[Span]) -> list[bytes]:
        return [root_of(leaves[span.start : span.end]) for span in spans]

    assert root_of(leaves) == root
    assert hashed(inclusion_spans(0, 7)) == [b, h, l]
    assert hashed(inclusion_spans(3, 7)) == [c, g, l]
    assert hashed(inclusion_spans(4, 7)) == [f, j, k]
    assert hashed(inclusion_spans(6, 7)) == [i, k]
    assert hashed(consistency_spans(3, 7)) == [c, d, g, l]
    assert hashed(consistency_spans(4, 7)) == [l]
    assert hashed(consistency_spans(6, 7)) == [i, j, k]


def test_seventy_thousand_leaves_lie_in_the_tiles_the_document_counts(tall: Grown) -> None:
    """c2sp.org/tlog-tiles: 273 full level 0 tiles and one of 112; one full level 1 tile and one of 17; one of 1."""
    widths: dict[int, list[int]] = {}
    for tile, held in sorted(tall.tiles.items()):
        widths.setdefault(tile.level, []).append(len(held) // 32)
        assert width_at(tile, 70_000) == len(held) // 32
    assert widths == {ENTRIES: [256] * 273 + [112], 0: [256] * 273 + [112], 1: [256, 17], 2: [1]}
    assert edge_of(70_000) == [TileId(ENTRIES, 273), TileId(0, 273), TileId(1, 1), TileId(2, 0)]
    assert edge_of(256) == [TileId(1, 0)]
    assert edge_of(0) == []
    assert width_at(TileId(0, 274), 70_000) == width_at(TileId(3, 0), 70_000) == 0


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("0/x001/x234/067", TilePath(TileId(0, 1_234_067), 256)),
        ("0/000", TilePath(TileId(0, 0), 256)),
        ("7/x001/000.p/255", TilePath(TileId(7, 1000), 255)),
        ("entries/273.p/112", TilePath(TileId(ENTRIES, 273), 112)),
    ],
)
def test_a_tile_has_one_address(text: str, path: TilePath) -> None:
    assert parse_tile_path(text) == path
    assert tile_path(*path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "00/000",
        "8/000",
        "63/000",
        "-1/000",
        "0/00",
        "0/0000",
        "0/x000/000",
        "0/001/000",
        "0/x001",
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/256",
        "0/000.p/300",
        "0/000.p",
        "0/000/",
        "/0/000",
        "0/000\n",
        "0/\u0660\u0660\u0660",
        "data/000",
        "0/x036/x028/x797/x018/x963/968",
        "0/" + "x999/" * 2_000 + "999",
    ],
)
def test_no_other_address_is_one(text: str) -> None:
    assert parse_tile_path(text) is None


@given(st.integers(0, 2**55 - 1), st.integers(1, 256), st.integers(ENTRIES, 7))
def test_addresses_read_back(number: int, width: int, level: int) -> None:
    path = TilePath(TileId(level, number), width)
    assert parse_tile_path(tile_path(*path)) == path


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_tree_grown_in_batches_is_the_naive_tree(batches: list[int], dice: Random) -> None:
    grown = Grown()
    for count in batches:
        grown.add(count)
    leaves = [leaf_hash(commitment(number)) for number in range(grown.size)]
    assert grown.root == naive_root(leaves)
    index, old = dice.randrange(grown.size), dice.randrange(grown.size + 1)
    inclusion = grown.proof(inclusion_spans(index, grown.size))
    consistency = grown.proof(consistency_spans(old, grown.size))
    assert is_included(leaves[index], index, grown.size, inclusion, grown.root)
    assert is_consistent(old, grown.size, naive_root(leaves[:old]), grown.root, consistency)
    InclusionProof(index, grown.size, inclusion).check(leaves[index], grown.root)
    ConsistencyProof(old, grown.size, consistency).check(naive_root(leaves[:old]), grown.root)


def test_another_implementation_reads_our_tiles_and_finds_our_root_and_proofs(tall: Grown) -> None:
    reader = TilesReader(tall)
    reader.set_size(tall.size)
    assert reader.calculate_root_hash() == tall.root
    for index in (0, 1, 255, 256, 65_535, 65_536, 69_888, 69_999):
        assert reader.get_entry(index) == commitment(index)
        theirs = reader.get_inclusion_proof(index, tall.size)
        assert tall.proof(inclusion_spans(index, tall.size)) == theirs.node_hashes
        theirs.check(leaf_hash(commitment(index)), tall.root)
    for old in (1, 2, 255, 256, 257, 65_536, 65_537, 69_999, 70_000):
        proof = tall.proof(consistency_spans(old, tall.size))
        assert proof == reader.get_consistency_proof(old, tall.size).node_hashes
        ConsistencyProof(old, tall.size, proof).check(reader.mth(0, old), tall.root)


def test_both_implementations_agree_on_every_mangled_proof() -> None:
    """Wrong index, size, root, leaf, order, length: whatever theirs refuses ours refuses, and the other way round."""
    hashes = [leaf_hash(leaf) for leaf in CT_LEAVES]
    seen = 0
    for size in range(1, 9):
        for index in range(size):
            proof = [root_of(hashes[span.start : span.end]) for span in inclusion_spans(index, size)]
            variants = [proof, proof[1:], proof[:-1], proof[::-1], [*proof, hashes[0]], [hashes[1], *proof]]
            for variant in variants:
                for at in range(size + 1):
                    for said in range(1, 9):
                        ours = is_included(hashes[index], at, said, variant, CT_ROOTS[size])
                        assert ours == accepts_inclusion(hashes[index], at, said, variant, CT_ROOTS[size])
                        seen += not ours
        for old in range(1, size):
            proof = [root_of(hashes[span.start : span.end]) for span in consistency_spans(old, size)]
            for variant in ([], proof, proof[1:], proof[:-1], proof[::-1], [*proof, hashes[0]]):
                for at in range(1, size + 1):
                    for said in range(at, 9):
                        ours = is_consistent(at, said, CT_ROOTS[old], CT_ROOTS[size], variant)
                        assert ours == accepts_consistency(at, said, CT_ROOTS[old], CT_ROOTS[size], variant)
                        seen += not ours
    assert seen > 10_000


def accepts_inclusion(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    try:
        InclusionProof(index, size, proof).check(leaf, root)
    except InclusionProofInvalid:
        return False
    return True


def accepts_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: list[bytes]) -> bool:
    try:
        ConsistencyProof(old, new, proof).check(old_root, new_root)
    except ConsistencyProofInvalid:
        return False
    return True


def test_the_trivial_trees() -> None:
    leaf = leaf_hash(b"only")
    assert is_included(leaf, 0, 1, [], leaf)
    assert not is_included(leaf, 0, 1, [leaf], leaf)
    assert not is_included(leaf, 1, 1, [], leaf)
    assert not is_included(leaf, -1, 1, [], leaf)
    assert not is_included(leaf[:31], 0, 1, [], leaf[:31])
    assert is_consistent(0, 1, EMPTY_ROOT, leaf, [])
    assert not is_consistent(0, 1, leaf, leaf, [])
    assert not is_consistent(0, 1, EMPTY_ROOT, leaf, [leaf])
    assert is_consistent(1, 1, leaf, leaf, [])
    assert not is_consistent(1, 1, leaf, EMPTY_ROOT, [])
    assert not is_consistent(1, 1, leaf, leaf, [leaf])
    assert not is_consistent(2, 1, leaf, leaf, [])
    assert not is_consistent(3, 4, leaf, leaf, [])
    assert not is_consistent(1, 2, leaf, b"short", [leaf])
    assert consistency_spans(0, 5) == consistency_spans(5, 5) == []
    assert hash_of(Span(0, 0), {}) == EMPTY_ROOT
    for index, size in ((0, 0), (5, 5), (-1, 3)):
        with pytest.raises(ValueError, match="has no leaf"):
            inclusion_spans(index, size)
    with pytest.raises(ValueError, match="does not begin"):
        consistency_spans(6, 5)


def test_a_missing_or_short_tile_is_noticed(tall: Grown) -> None:
    spans = inclusion_spans(300, tall.size)
    tiles = {tile: tall.tiles[tile] for tile in tiles_of(spans)}
    for tile in tiles:
        with pytest.raises(TilesIncompleteError):
            [hash_of(span, {name: held for name, held in tiles.items() if name != tile}) for span in spans]
    with pytest.raises(TilesIncompleteError):
        hash_of(Span(0, 2), {TileId(0, 0): b"x" * 63})


def test_a_bundle_holds_each_entry_behind_its_length() -> None:
    assert bundle(b"a" * 32 + b"b" * 32) == b"\x00\x20" + b"a" * 32 + b"\x00\x20" + b"b" * 32
    assert len(bundle(b"c" * 32 * WIDTH)) == 34 * 256
