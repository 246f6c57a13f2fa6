"""How the tree lies in tiles of 256 hashes (c2sp.org/tlog-tiles): addresses, growth, and hashes read back from them.

Level 0 holds leaf hashes; each hash of a level above is that of a full tile below. Level -1 holds the entries, which
in this log are commitments of 32 bytes, so that a tile of every level is 32 bytes a place.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from kabao.tlog.merkle import EMPTY_ROOT, HASH_BYTES, Span, leaf_hash, node_hash, root_of

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
TOP_LEVEL: Final = 7
"""Eight levels of eight bits reach 2**64 leaves; a tree can have no more."""
MAX_TILES: Final = 2**55
"""No tree of 63 bits has more tiles in a level."""
MAX_PATH: Final = 64
_PATH: Final = re.compile(
    r"(?P<level>entries|0|[1-9][0-9]?)/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_LENGTH: Final = HASH_BYTES.to_bytes(2)


class TileId(NamedTuple):
    """A tile's level and its place in the level."""

    level: int
    number: int


class TilePath(NamedTuple):
    """What an address asks for: a tile, and how many of its hashes (256: the full tile)."""

    tile: TileId
    width: int


class Growth(NamedTuple):
    """A tree after new entries: its size and root, and every tile that changed, whole."""

    size: int
    root: bytes
    tiles: dict[TileId, bytes]


class TilesIncompleteError(LookupError):
    """A tile that the tree's size calls for is missing or too short."""


def tile_path(tile: TileId, width: int = WIDTH) -> str:
    """Write a tile's address below `tile/`, such as `0/x001/x234/067` or `entries/000.p/17`."""
    parts = [f"{tile.number % 1000:03d}"]
    rest = tile.number
    while rest := rest // 1000:
        parts.append(f"x{rest % 1000:03d}")
    level = "entries" if tile.level == ENTRIES else str(tile.level)
    return "/".join([level, *reversed(parts)]) + ("" if width == WIDTH else f".p/{width}")


def parse_tile_path(text: str) -> TilePath | None:
    """Read a tile's address below `tile/`; None where it is not written in the one way there is."""
    found = _PATH.fullmatch(text) if len(text) <= MAX_PATH else None
    if found is None:
        return None
    level = ENTRIES if found["level"] == "entries" else int(found["level"])
    number = int(found["number"].replace("/", "").replace("x", ""))
    width = WIDTH if found["width"] is None else int(found["width"])
    path = TilePath(TileId(level, number), width)
    # A longer spelling, such as x000/001, and a width of 256 or more would be second addresses of one thing.
    if level > TOP_LEVEL or number >= MAX_TILES or tile_path(*path) != text or width > WIDTH:
        return None
    return path


def width_at(tile: TileId, size: int) -> int:
    """Return how many hashes a tile holds in a tree of `size` leaves, 0 where it does not exist yet."""
    there = size >> (HEIGHT * max(tile.level, 0))
    return max(0, min(WIDTH, there - tile.number * WIDTH))


def edge_of(size: int) -> list[TileId]:
    """Name the tiles at the right edge that are neither empty nor full; the root and all growth follow from them."""
    edge = [TileId(level, size >> (HEIGHT * (level + 1))) for level in range(TOP_LEVEL + 1)]
    partial = [tile for tile in edge if 0 < width_at(tile, size) < WIDTH]
    entries = TileId(ENTRIES, size >> HEIGHT)
    return [entries, *partial] if width_at(entries, size) else partial


def tiles_of(spans: Iterable[Span]) -> set[TileId]:
    """Name the tiles that hold the hashes of some subtrees."""
    return {tile for span in spans for tile, _, _ in _pieces(span)}


def hash_of(span: Span, tiles: Mapping[TileId, bytes]) -> bytes:
    """Return the tree hash of a subtree of the tree (or of the whole) from the tiles that `tiles_of` names.

    Raises TilesIncompleteError where one is missing or too short.
    """
    parts: list[bytes] = []
    for tile, first, count in _pieces(span):
        held = tiles.get(tile, b"")[first * HASH_BYTES : (first + count) * HASH_BYTES]
        if len(held) != count * HASH_BYTES:
            raise TilesIncompleteError(f"tile {tile_path(tile)} lacks hash {first + count - 1}")
        parts.append(root_of(cut(held)))
    if not parts:
        return EMPTY_ROOT
    found = parts.pop()
    while parts:
        found = node_hash(parts.pop(), found)
    return found


def grow(edge: Mapping[TileId, bytes], size: int, entries: Sequence[bytes]) -> Growth:
    """Append entries to a tree of `size` leaves, of which `edge` holds the tiles that `edge_of` names."""
    tiles: dict[TileId, bytes] = {}
    kept: dict[TileId, bytes] = dict(edge)
    tiles |= _filled(edge, ENTRIES, size, entries)
    level, first, added = 0, size, [leaf_hash(entry) for entry in entries]
    while added:
        changed = _filled(edge, level, first, added)
        tiles |= changed
        added = [root_of(cut(held)) for held in changed.values() if len(held) == WIDTH * HASH_BYTES]
        level, first = level + 1, first >> HEIGHT
    grown = size + len(entries)
    return Growth(grown, hash_of(Span(0, grown), kept | tiles), tiles)


def cut(held: bytes) -> list[bytes]:
    """Cut a tile into its hashes, or an entries tile into its commitments."""
    return [held[at : at + HASH_BYTES] for at in range(0, len(held), HASH_BYTES)]


def bundle(commitments: bytes) -> bytes:
    """Write commitments as an entry bundle: each with its length before it, two bytes, big-endian."""
    return b"".join(_LENGTH + commitment for commitment in cut(commitments))


def _filled(edge: Mapping[TileId, bytes], level: int, first: int, added: Sequence[bytes]) -> dict[TileId, bytes]:
    """Put hashes behind those that stand in a level, of which there are `first`; return the tiles touched."""
    start = TileId(level, first // WIDTH)
    held = (edge[start] if first % WIDTH else b"") + b"".join(added)
    step = WIDTH * HASH_BYTES
    return {TileId(level, start.number + at // step): held[at : at + step] for at in range(0, len(held), step)}


def _pieces(span: Span) -> Iterator[tuple[TileId, int, int]]:
    """Cut a subtree into complete ones, largest first, each as a run of hashes in one tile: tile, first, count."""
    start, end = span
    while start < end:
        height = (end - start).bit_length() - 1
        level = min(height // HEIGHT, TOP_LEVEL)
        place = start >> (HEIGHT * level)
        yield TileId(level, place // WIDTH), place % WIDTH, 1 << (height - HEIGHT * level)
        start += 1 << height
