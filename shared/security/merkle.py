"""The tree of an append-only log, with proofs that an entry is in it, and that it has only grown (RFC 9162).

All functions take and return hashes of 32 bytes. `leaves` are those of entries (`leaf_hash`), in their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from itertools import count

Hash = bytes
HASH_BYTES = 32

EMPTY_ROOT = hashlib.sha256().digest()


class Growing:
    """A tree to which leaves are added, and its root, in memory that grows with the logarithm of its size."""

    def __init__(self, leaves: Iterable[Hash] = ()) -> None:
        self.size = 0
        self._peaks: list[Hash] = []
        """The roots of the whole trees that it consists of, the largest first: one for each 1 in its size."""
        for leaf in leaves:
            self.add(leaf)

    def add(self, leaf: Hash) -> None:
        """One entry more."""
        node, size = leaf, self.size
        while size % 2:
            node = node_hash(self._peaks.pop(), node)
            size //= 2
        self._peaks.append(node)
        self.size += 1

    @property
    def root(self) -> Hash:
        """Which says of every entry what it is, and where."""
        if not self._peaks:
            return EMPTY_ROOT
        *others, node = self._peaks
        for peak in reversed(others):
            node = node_hash(peak, node)
        return node


class LogTree:
    """A tree with all its nodes, 64 bytes for each leaf, so that a proof takes no time however large."""

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]
        """The roots of all whole trees of 2^level leaves, side by side."""

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return len(self._levels[0]) // HASH_BYTES

    def add(self, leaf: Hash) -> None:
        """One entry more."""
        node, place = leaf, self.size
        for level in count():
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += node
            if place % 2 == 0:
                return  # the other half of the tree above is still to come
            node, place = node_hash(bytes(row[-2 * HASH_BYTES : -HASH_BYTES]), node), place // 2

    def root(self, size: int) -> Hash:
        """The root that it had with so many leaves."""
        if not 0 <= size <= self.size:
            raise IndexError(f"a tree of {self.size} leaves never had {size}")
        return self._root(0, size) if size else EMPTY_ROOT

    def frontier(self) -> Growing:
        """A tree of its own that goes on from this one."""
        growing, start = Growing(), 0
        for level in reversed(range(self.size.bit_length())):
            if self.size >> level & 1:
                growing._peaks.append(self._root(start, start + (1 << level)))
                start += 1 << level
        growing.size = self.size
        return growing

    def inclusion_proof(self, index: int) -> list[Hash]:
        """As the function of that name, for the tree as it is."""
        if not 0 <= index < self.size:
            raise IndexError(f"a tree of {self.size} leaves has no leaf {index}")
        proof: list[Hash] = []
        start, end = 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._root(middle, end))
                end = middle
            else:
                proof.append(self._root(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, old_size: int, size: int) -> list[Hash]:
        """As the function of that name, for what the tree was with `size` leaves."""
        if not 0 < old_size <= size <= self.size:
            raise IndexError(f"a tree of {self.size} leaves has not grown from {old_size} to {size}")
        proof: list[Hash] = []
        start, end = 0, size
        while old_size != end:
            middle = start + _split(end - start)
            if old_size <= middle:
                proof.append(self._root(middle, end))
                end = middle
            else:
                proof.append(self._root(start, middle))
                start = middle
        if start:  # else what is left is the old tree itself, whose root the verifier has
            proof.append(self._root(start, end))
        return proof[::-1]

    def _root(self, start: int, end: int) -> Hash:
        """Of the leaves from `start` to before `end`, where a tree within this one begins."""
        level = (end - start).bit_length() - 1
        if end - start == 1 << level:
            place = (start >> level) * HASH_BYTES
            return bytes(self._levels[level][place : place + HASH_BYTES])
        middle = start + _split(end - start)
        return node_hash(self._root(start, middle), self._root(middle, end))


def leaf_hash(entry: bytes) -> Hash:
    """Of an entry (2.1.1); one that looks like a node has another hash than that."""
    return hashlib.sha256(b"\0" + entry).digest()


def node_hash(left: Hash, right: Hash) -> Hash:
    """Of a node above two others."""
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves: Sequence[Hash]) -> Hash:
    """The root of a tree with these leaves."""
    return Growing(leaves).root


def inclusion_proof(leaves: Sequence[Hash], index: int) -> list[Hash]:
    """The nodes that lead from a leaf to the root (2.1.3.1)."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"a tree of {len(leaves)} leaves has no leaf {index}")
    proof: list[Hash] = []
    while len(leaves) > 1:
        middle = _split(len(leaves))
        if index < middle:
            proof.append(root_of(leaves[middle:]))
            leaves = leaves[:middle]
        else:
            proof.append(root_of(leaves[:middle]))
            leaves, index = leaves[middle:], index - middle
    return proof[::-1]


def is_included(leaf: Hash, index: int, size: int, proof: Sequence[Hash], root: Hash) -> bool:
    """Whether a proof shows that the tree of this size and root has this leaf at this place (2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, node = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if place % 2 or place == last:
            node = node_hash(step, node)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            node = node_hash(node, step)
        place, last = place // 2, last // 2
    return last == 0 and node == root


def consistency_proof(leaves: Sequence[Hash], old_size: int) -> list[Hash]:
    """The nodes that show that a tree was made of its first `old_size` leaves by adding others (2.1.4.1)."""
    if not 0 < old_size <= len(leaves):
        raise IndexError(f"a tree of {len(leaves)} leaves has not grown from one of {old_size}")
    proof: list[Hash] = []
    is_known = True
    """Whether what is left is the old tree itself, whose root the verifier has."""
    while old_size != len(leaves):
        middle = _split(len(leaves))
        if old_size <= middle:
            proof.append(root_of(leaves[middle:]))
            leaves = leaves[:middle]
        else:
            proof.append(root_of(leaves[:middle]))
            leaves, old_size, is_known = leaves[middle:], old_size - middle, False
    if not is_known:
        proof.append(root_of(leaves))
    return proof[::-1]


def has_grown(old_size: int, old_root: Hash, size: int, root: Hash, proof: Sequence[Hash]) -> bool:
    """Whether a proof shows that the second tree has all leaves of the first one, and others after them
    (2.1.4.2)."""
    if old_size == size:
        return old_root == root and not proof
    if not 0 < old_size < size:
        return old_size == 0 and old_root == EMPTY_ROOT and not proof and size > 0
    steps = list(proof)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        return False
    place, last = old_size - 1, size - 1
    while place % 2:
        place, last = place // 2, last // 2
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place % 2 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while place % 2 == 0 and place:
                place, last = place // 2, last // 2
        else:
            new = node_hash(new, step)
        place, last = place // 2, last // 2
    return last == 0 and old == old_root and new == root


def _split(size: int) -> int:
    """The largest power of two below a size."""
    return 1 << (size - 1).bit_length() - 1
