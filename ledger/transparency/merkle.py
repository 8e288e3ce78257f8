"""The Merkle tree over the events (RFC 6962, section 2.1), its proofs, and the tiles it is read in (C2SP tlog-tiles).

Pure arithmetic of hashes: nothing here reads a file. What a tree is made of is handed in as a function that reads the
roots of complete subtrees, so that a root or a proof of a tree of n leaves costs O(log n) reads.

A failed verification raises `ProofFailedError`; asking for what cannot be is a `ValueError`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from ledger.domain.errors import ProofFailedError

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()  # RFC 6962, 2.1: the hash of an empty list is the hash of an empty string
TILE_LEVELS = 8
"""Of the tree in one level of tiles."""
TILE_WIDTH = 1 << TILE_LEVELS

ReadHashes = Callable[[int, int, int], bytes]
"""Tile level, index of the first hash, count → so many hashes behind one another.

A hash of tile level l with index i is the root of the leaves from i x 256^l up to (i + 1) x 256^l."""


def leaf_hash(data: bytes) -> bytes:
    """MTH({d0}), the hash of a leaf."""
    return sha256(b"\x00" + data).digest()  # RFC 6962, 2.1: 0x00 and 0x01 keep leaves and nodes apart


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


def leaf_hashes(leaves: Iterable[bytes]) -> bytes:
    """The hashes of leaves, one behind the other."""
    return b"".join([sha256(b"\x00" + data).digest() for data in leaves])


def parents(hashes: bytes) -> bytes:
    """The nodes over an even number of hashes, one behind the other."""
    step = 2 * HASH_BYTES
    return b"".join([sha256(b"\x01" + hashes[at : at + step]).digest() for at in range(0, len(hashes), step)])


def tile_roots(hashes: bytes) -> bytes:
    """The root of each full tile, of whole tiles' hashes behind one another."""
    for _ in range(TILE_LEVELS):
        hashes = parents(hashes)
    return hashes


def root_of(leaves: Iterable[bytes]) -> bytes:
    """MTH over the hashes of leaves, one after the other; holds one hash a level (RFC 6962, 2.1)."""
    peaks: list[tuple[int, bytes]] = []
    for leaf in leaves:
        level, node = 0, leaf
        while peaks and peaks[-1][0] == level:
            node, level = node_hash(peaks.pop()[1], node), level + 1
        peaks.append((level, node))
    if not peaks:
        return EMPTY_ROOT
    root = peaks.pop()[1]
    while peaks:
        root = node_hash(peaks.pop()[1], root)
    return root


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree of so many leaves."""

    size: int
    read: ReadHashes

    def root(self) -> bytes:
        """MTH(D[n]), the root of the tree."""
        return self._root_of(0, self.size) if self.size else EMPTY_ROOT

    def inclusion(self, index: int) -> list[bytes]:
        """The audit path of a leaf, RFC 6962, 2.1.1: PATH(m, D[n])."""
        if not 0 <= index < self.size:
            raise ValueError(f"no leaf {index} in a tree of {self.size}")
        path: list[bytes] = []
        first, end = 0, self.size
        while end - first > 1:
            middle = first + _split(end - first)
            if index < middle:
                path.append(self._root_of(middle, end))
                end = middle
            else:
                path.append(self._root_of(first, middle))
                first = middle
        return path[::-1]

    def consistency(self, old_size: int) -> list[bytes]:
        """What proves that a smaller tree is this one's beginning, RFC 6962, 2.1.2: PROOF(m, D[n])."""
        if not 0 < old_size <= self.size:
            raise ValueError(f"nothing proves a tree of {self.size} to continue one of {old_size}")
        proof: list[bytes] = []
        first, end = 0, self.size
        while end != old_size:
            middle = first + _split(end - first)
            if old_size <= middle:
                proof.append(self._root_of(middle, end))
                end = middle
            else:
                proof.append(self._root_of(first, middle))
                first = middle
        if first:  # SUBPROOF(m, D[m], false): the verifier does not know this subtree's root
            proof.append(self._root_of(first, end))
        return proof[::-1]

    def _root_of(self, first: int, end: int) -> bytes:
        """MTH(D[first:end]) of a range that is one of the tree's nodes: it begins at a multiple of its leftmost part."""
        count = end - first
        left = _split(count) if count & (count - 1) else count
        found = self._complete(left.bit_length() - 1, first // left)
        return found if left == count else node_hash(found, self._root_of(first + left, end))

    def _complete(self, level: int, index: int) -> bytes:
        """The root of the complete subtree of 2^level leaves with that index."""
        tile_level, above = divmod(level, TILE_LEVELS)
        hashes = self.read(tile_level, index << above, 1 << above)
        if len(hashes) != HASH_BYTES << above:
            raise ValueError(f"{len(hashes)} bytes are not {1 << above} hashes")
        for _ in range(above):
            hashes = parents(hashes)
        return hashes


def _split(size: int) -> int:
    """The largest power of two below a size of two or more."""
    return 1 << (size - 1).bit_length() - 1


# Verifying, by the iterative algorithms of RFC 9162, 2.1.3.2 and 2.1.4.2, which accept the proofs of RFC 6962


def verify_inclusion(*, index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Raise `ProofFailedError` unless the leaf hash is at that index of the tree with that size and root."""
    if not 0 <= index < size:
        raise ProofFailedError(f"no leaf {index} in a tree of {size}")
    _require_hashes([leaf, root, *proof])
    number, last, found = index, size - 1, leaf
    for each in proof:
        if not last:
            raise ProofFailedError(f"too many hashes for leaf {index} of {size}")
        if number & 1 or number == last:
            found = node_hash(each, found)
            number, last = _up_to_right_child(number, last)
        else:
            found = node_hash(found, each)
        number, last = number >> 1, last >> 1
    if last or found != root:
        raise ProofFailedError(f"leaf {index} is not in the tree of {size}")


def verify_consistency(*, old_size: int, old_root: bytes, size: int, root: bytes, proof: Sequence[bytes]) -> None:
    """Raise `ProofFailedError` unless the smaller tree is the beginning of the larger."""
    if not 0 < old_size <= size:  # an empty tree is the beginning of all, so nothing is proved of it
        raise ProofFailedError(f"nothing proves a tree of {size} to continue one of {old_size}")
    _require_hashes([old_root, root, *proof])
    if old_size == size:
        if proof or old_root != root:
            raise ProofFailedError(f"two trees of {size} differ")
        return
    # A complete old tree is a node of the new one, known to the verifier and so not sent.
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    number, last = old_size - 1, size - 1
    while number & 1:
        number, last = number >> 1, last >> 1
    if not nodes:
        raise ProofFailedError(f"no hashes for trees of {old_size} and {size}")
    old_found = found = nodes[0]
    for each in nodes[1:]:
        if not last:
            raise ProofFailedError(f"too many hashes for trees of {old_size} and {size}")
        if number & 1 or number == last:
            old_found, found = node_hash(each, old_found), node_hash(each, found)
            number, last = _up_to_right_child(number, last)
        else:
            found = node_hash(found, each)
        number, last = number >> 1, last >> 1
    if last or old_found != old_root or found != root:
        raise ProofFailedError(f"the tree of {size} does not continue the tree of {old_size}")


def _up_to_right_child(number: int, last: int) -> tuple[int, int]:
    """Pass over the levels on which the last node has no sibling and goes up as it is."""
    while number and not number & 1:
        number, last = number >> 1, last >> 1
    return number, last


def _require_hashes(hashes: Iterable[bytes]) -> None:
    if any(len(each) != HASH_BYTES for each in hashes):
        raise ProofFailedError(f"a hash has {HASH_BYTES} bytes")


# Tiles

_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9][0-9]?)/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:[.]p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True)
class Tile:
    """Up to 256 hashes of one tile level, or, with no level, the entries of up to 256 leaves."""

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def first(self) -> int:
        """The index of its first hash or entry."""
        return self.index * TILE_WIDTH

    def path(self) -> str:
        """Where it is served, e.g. `tile/0/x001/x234/067.p/12`."""
        level = "entries" if self.level is None else self.level
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{level}/{_index_path(self.index)}{partial}"


def _index_path(index: int) -> str:
    """Groups of three digits, all but the last behind an x: 1234067 → `x001/x234/067`."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def tile_at(path: str) -> Tile | None:
    """The tile that is served at a path, or None: each tile has one path only."""
    if not (match := _PATH.fullmatch(path)):
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    found = Tile(level, index, int(match["width"] or TILE_WIDTH))
    is_one = found.path() == path and found.width <= TILE_WIDTH
    return found if is_one and (level or 0) < 64 else None  # C2SP tlog-tiles: 0 to 63


def tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """The tiles of hashes of a tree that one of an earlier size has not; of a partial one the newest width only."""
    level = 0
    while size:
        yield from _tiles(level, since, size)
        size, since, level = size // TILE_WIDTH, since // TILE_WIDTH, level + 1


def entry_tiles_of(size: int, *, since: int = 0) -> Iterator[Tile]:
    """The bundles of entries of a tree that one of an earlier size has not."""
    return _tiles(None, since, size)


def _tiles(level: int | None, since: int, size: int) -> Iterator[Tile]:
    if since == size:
        return
    full, width = divmod(size, TILE_WIDTH)
    for index in range(since // TILE_WIDTH, full):
        yield Tile(level, index)
    if width:
        yield Tile(level, full, width)
