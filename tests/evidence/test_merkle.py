"""The tree is that of RFC 6962: held against its test leaves and a recursion written from the RFC's own words."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import pytest

from ledger.domain.errors import ProofFailedError
from ledger.transparency.merkle import (
    EMPTY_ROOT,
    HASH_BYTES,
    Tile,
    Tree,
    entry_tiles_of,
    leaf_hash,
    leaf_hashes,
    node_hash,
    tile_at,
    tile_roots,
    tiles_of,
    verify_consistency,
    verify_inclusion,
)

SIZE_MAX = 1_025
KNOWN = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
KNOWN_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
LEAVES = [f"event {number}".encode() for number in range(SIZE_MAX)]


# The reference: the definitions of RFC 6962, 2.1, word for word and without a thought for speed


def largest_power_of_two_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


class Reference:
    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.leaves = leaves
        self.known: dict[tuple[int, int], bytes] = {}

    def mth(self, first: int, end: int) -> bytes:
        if (first, end) not in self.known:
            self.known[first, end] = self._mth(first, end)
        return self.known[first, end]

    def _mth(self, first: int, end: int) -> bytes:
        if end == first:
            return sha256(b"").digest()
        if end - first == 1:
            return sha256(b"\x00" + self.leaves[first]).digest()
        k = first + largest_power_of_two_below(end - first)
        return sha256(b"\x01" + self.mth(first, k) + self.mth(k, end)).digest()

    def path(self, m: int, first: int, end: int) -> list[bytes]:
        if end - first == 1:
            return []
        k = largest_power_of_two_below(end - first)
        if m < k:
            return [*self.path(m, first, first + k), self.mth(first + k, end)]
        return [*self.path(m - k, first + k, end), self.mth(first, first + k)]

    def subproof(self, m: int, first: int, end: int, *, is_known: bool) -> list[bytes]:
        if m == end - first:
            return [] if is_known else [self.mth(first, end)]
        k = largest_power_of_two_below(end - first)
        if m <= k:
            return [*self.subproof(m, first, first + k, is_known=is_known), self.mth(first + k, end)]
        return [*self.subproof(m - k, first + k, end, is_known=False), self.mth(first, first + k)]


REFERENCE = Reference(LEAVES)


class Hashes:
    """The levels of hashes that a log keeps: of each the complete tiles' roots."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.levels = [leaf_hashes(leaves)]
        while len(self.levels[-1]) >= 256 * HASH_BYTES:
            below = self.levels[-1]
            self.levels.append(tile_roots(below[: len(below) // (256 * HASH_BYTES) * 256 * HASH_BYTES]))
        self.reads = 0

    def __call__(self, level: int, first: int, count: int) -> bytes:
        self.reads += 1
        return self.levels[level][first * HASH_BYTES : (first + count) * HASH_BYTES]


HASHES = Hashes(LEAVES)


def test_the_known_leaves_have_the_known_root() -> None:
    assert Tree(8, Hashes(KNOWN)).root().hex() == KNOWN_ROOT
    assert Tree(0, Hashes(KNOWN)).root() == EMPTY_ROOT == sha256(b"").digest()
    assert Tree(1, Hashes(KNOWN)).root() == leaf_hash(b"")


@pytest.mark.parametrize("part", range(8))
def test_every_leaf_of_every_tree_is_accepted_with_its_path(part: int) -> None:
    hashes = [leaf_hash(leaf) for leaf in LEAVES]
    for size in range(1 + part, SIZE_MAX + 1, 8):
        root = REFERENCE.mth(0, size)
        for index in range(size):
            path = REFERENCE.path(index, 0, size)
            verify_inclusion(index=index, size=size, leaf=hashes[index], proof=path, root=root)


def test_the_path_of_every_leaf_is_that_of_the_definition() -> None:
    for size in range(1, SIZE_MAX + 1):
        tree = Tree(size, HASHES)
        assert tree.root() == REFERENCE.mth(0, size)
        # Of the large trees not every leaf, but all those at which the shape of the path changes.
        near = {0, 1, 255, 256, 257, 511, 512, 1023, 1024, size // 2, size - 2, size - 1}
        for index in range(size) if size <= 130 or size >= SIZE_MAX - 1 else {*near, *range(size % 7, size, 151)}:
            if 0 <= index < size:
                assert tree.inclusion(index) == REFERENCE.path(index, 0, size)


def test_every_tree_is_proved_to_continue_the_trees_before_it() -> None:
    for size in [*range(1, 140), 255, 256, 257, 511, 512, 513, 768, 1000, 1023, 1024, 1025]:
        tree = Tree(size, HASHES)
        root = tree.root()
        for old_size in range(1, size + 1):
            proof = tree.consistency(old_size)
            assert proof == REFERENCE.subproof(old_size, 0, size, is_known=True)
            old_root = REFERENCE.mth(0, old_size)
            verify_consistency(old_size=old_size, old_root=old_root, size=size, root=root, proof=proof)


def flipped(proof: Sequence[bytes]) -> list[list[bytes]]:
    """The proof with each of its bits turned over in turn."""
    found = []
    for number, each in enumerate(proof):
        for bit in range(8 * HASH_BYTES):
            changed = (int.from_bytes(each, "big") ^ 1 << bit).to_bytes(HASH_BYTES, "big")
            found.append([*proof[:number], changed, *proof[number + 1 :]])
    return found


def mangled(proof: Sequence[bytes]) -> list[list[bytes]]:
    """The proof with a hash too few, too many, too short, too long or at another place."""
    found = [[*proof[:n], *proof[n + 1 :]] for n in range(len(proof))]
    found += [[*proof[:n], bytes(HASH_BYTES), *proof[n:]] for n in range(len(proof) + 1)]
    found += [[*proof[:n], each[:-1], *proof[n + 1 :]] for n, each in enumerate(proof)]
    found += [[*proof[:n], each + b"\x00", *proof[n + 1 :]] for n, each in enumerate(proof)]
    return found + [[*proof[:n], proof[n + 1], proof[n], *proof[n + 2 :]] for n in range(len(proof) - 1)]


SHAPES = [1, 2, 3, 5, 8, 13, 64, 70, 257, 1025]


@pytest.mark.parametrize("size", SHAPES)
def test_no_bit_of_a_proof_of_inclusion_can_be_turned(size: int) -> None:
    tree = Tree(size, HASHES)
    for index in sorted({0, size // 3, size // 2, size - 1}):
        proof, leaf, root = tree.inclusion(index), leaf_hash(LEAVES[index]), tree.root()
        good: dict[str, Any] = {"index": index, "size": size, "leaf": leaf, "proof": proof, "root": root}
        verify_inclusion(**good)
        bad: list[dict[str, Any]] = [{"proof": each} for each in flipped(proof) + mangled(proof)]
        bad += [{"leaf": each[0]} for each in flipped([leaf])] + [{"root": each[0]} for each in flipped([root])]
        bad += [{"index": each} for each in range(-1, min(size + 2, 100)) if each != index]
        bad += [{"size": index}, {"size": 2 * size + 1}]
        for each in bad:
            with pytest.raises(ProofFailedError):
                verify_inclusion(**good | each)


@pytest.mark.parametrize("size", SHAPES)
def test_no_bit_of_a_proof_of_consistency_can_be_turned(size: int) -> None:
    tree = Tree(size, HASHES)
    for old_size in sorted({1, 1 + size // 3, 1 + size // 2, size}):
        proof, root, old_root = tree.consistency(old_size), tree.root(), REFERENCE.mth(0, old_size)
        good: dict[str, Any] = {
            "old_size": old_size,
            "old_root": old_root,
            "size": size,
            "root": root,
            "proof": proof,
        }
        verify_consistency(**good)
        bad: list[dict[str, Any]] = [{"proof": each} for each in flipped(proof) + mangled(proof)]
        bad += [{"root": each[0]} for each in flipped([root])] + [{"old_root": each[0]} for each in flipped([old_root])]
        bad += [{"old_size": 0}, {"old_size": -1}, {"old_size": size + 1}, {"size": old_size - 1}]
        for each in bad:
            with pytest.raises(ProofFailedError):
                verify_consistency(**good | each)


def test_no_border_between_two_hashes_can_be_moved() -> None:
    """A node is the hash of both, one behind the other, wherever the one ends."""
    left, right = leaf_hash(LEAVES[0]), leaf_hash(LEAVES[1])
    root = Tree(2, HASHES).root()
    for moved in (1, 31, 32):
        longer, shorter = left + right[:moved], right[moved:]
        with pytest.raises(ProofFailedError):
            verify_inclusion(index=0, size=2, leaf=longer, proof=[shorter], root=root)
        with pytest.raises(ProofFailedError):
            verify_consistency(old_size=1, old_root=longer, size=2, root=root, proof=[shorter])


def test_a_tree_is_exactly_as_deep_as_its_size() -> None:
    """Roots made to fit a proof that ends below them, or goes on above, are refused."""
    a, b, c, d = (leaf_hash(leaf) for leaf in LEAVES[:4])
    above = bytes(HASH_BYTES)
    for index, size, proof, root in ((0, 4, [], a), (0, 4, [b], node_hash(a, b)), (0, 1, [above], node_hash(above, a))):
        with pytest.raises(ProofFailedError):
            verify_inclusion(index=index, size=size, leaf=a, proof=proof, root=root)
    left = node_hash(a, b)
    trees = {"old_root": node_hash(left, c), "root": node_hash(left, node_hash(c, d))}
    verify_consistency(old_size=3, size=4, proof=[c, d, left], **trees)
    higher = {name: node_hash(above, root) for name, root in trees.items()}
    with pytest.raises(ProofFailedError):
        verify_consistency(old_size=3, size=4, proof=[c, d, left, above], **higher)
    with pytest.raises(ProofFailedError):
        verify_consistency(old_size=3, size=4, proof=[c, d], old_root=c, root=node_hash(c, d))


def test_a_proof_costs_a_few_reads_however_large_the_tree() -> None:
    size = 36_000_017  # of which only the hashes that are asked for are made up

    def reader(calls: list[int]) -> Callable[[int, int, int], bytes]:
        def read(level: int, first: int, count: int) -> bytes:
            calls.append(count)
            assert (first + count) * 256**level <= size
            return bytes(HASH_BYTES * count)

        return read

    calls: list[int] = []
    tree = Tree(size, reader(calls))
    tree.root()
    tree.inclusion(17_654_321)
    tree.consistency(35_999_999)
    assert len(calls) <= 3 * 2 * size.bit_length()
    assert max(calls) <= 128


def test_what_is_not_in_a_tree_cannot_be_proved_by_mistake() -> None:
    tree = Tree(5, HASHES)
    for ask in (tree.inclusion, tree.consistency):
        for impossible in (-1, 6):
            with pytest.raises(ValueError, match="tree"):
                ask(impossible)
    with pytest.raises(ValueError, match="tree"):
        tree.inclusion(5)
    with pytest.raises(ValueError, match="tree"):
        tree.consistency(0)
    with pytest.raises(ValueError, match="hashes"):
        Tree(5, lambda *_: b"short").root()


# Tiles


def test_a_tree_of_70000_has_the_tiles_of_the_specification() -> None:
    tiles = list(tiles_of(70_000))

    assert [(level, sum(t.level == level for t in tiles), tiles_at[-1].width) for level, tiles_at in levels(tiles)] == [
        (0, 274, 112),
        (1, 2, 17),
        (2, 1, 1),
    ]
    assert [tile.path() for tile in tiles if tile.level][:3] == ["tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1"]
    assert len(list(entry_tiles_of(70_000))) == 274


def levels(tiles: Sequence[Tile]) -> list[tuple[int | None, list[Tile]]]:
    found = sorted({tile.level for tile in tiles if tile.level is not None})
    return [(level, [tile for tile in tiles if tile.level == level]) for level in found]


def test_no_empty_tile_is_there_and_no_partial_one_goes_up() -> None:
    assert list(tiles_of(0)) == list(entry_tiles_of(0)) == []
    assert [tile.path() for tile in tiles_of(1)] == ["tile/0/000.p/1"]
    assert [tile.path() for tile in entry_tiles_of(1)] == ["tile/entries/000.p/1"]
    assert [tile.path() for tile in tiles_of(255)] == ["tile/0/000.p/255"]
    assert [tile.path() for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert [tile.path() for tile in tiles_of(257)] == ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1"]
    assert [tile.path() for tile in tiles_of(257, since=256)] == ["tile/0/001.p/1"]
    assert [tile.path() for tile in tiles_of(513, since=257)] == [
        *("tile/0/001", "tile/0/002.p/1"),
        "tile/1/000.p/2",
    ]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(3, 67, 1), "tile/3/067.p/1"),
        (Tile(None, 999_999, 255), "tile/entries/x999/999.p/255"),
        (Tile(63, 0), "tile/63/000"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert tile_at(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "tile/64/000",
        "tile/00/000",
        "tile/0/0",
        "tile/0/x000/001",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/257",
        "tile/0/001.p/999",
        "tile/0/001.p/1000",
        "tile/0/001.p/01",
        "tile/0/001/002",
        "tile/-1/000",
        "tile/0/000\n",
        "tile/data/000",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/0/٠٠٠",
    ],
)
def test_no_other_path_is_that_of_a_tile(path: str) -> None:
    assert tile_at(path) is None
