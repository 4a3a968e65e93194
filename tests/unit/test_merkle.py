"""The log's tree: the roots that others compute, and proofs that hold for what is so and for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.security.merkle import (
    EMPTY_ROOT,
    Growing,
    LogTree,
    consistency_proof,
    has_grown,
    inclusion_proof,
    is_included,
    leaf_hash,
    node_hash,
    root_of,
)

ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", bytes(range(96, 112)).hex())
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""Of the first one, two, three … entries, with which Certificate Transparency's own code is tested."""

LEAVES = [leaf_hash(number.to_bytes(2, "big")) for number in range(70)]
sizes = st.integers(1, len(LEAVES))


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(list(map(leaf_hash, ENTRIES[:size]))).hex() == ROOTS[size - 1]


def test_a_tree_without_leaves_has_the_root_of_nothing() -> None:
    assert root_of([]) == Growing().root == EMPTY_ROOT


@given(sizes)
def test_a_tree_that_grows_leaf_by_leaf_has_the_root_of_the_definition(size: int) -> None:
    def defined(first: int, number: int) -> bytes:
        if number == 1:
            return LEAVES[first]
        left = 1
        while 2 * left < number:
            left *= 2
        return node_hash(defined(first, left), defined(first + left, number - left))

    growing = Growing(LEAVES[:size])

    assert growing.root == defined(0, size)
    assert growing.size == size


def test_a_leaf_that_looks_like_a_node_has_another_hash() -> None:
    assert leaf_hash(LEAVES[0] + LEAVES[1]) != node_hash(LEAVES[0], LEAVES[1])


@given(sizes, st.data())
def test_every_leaf_can_be_shown_to_be_in_the_tree_and_no_other(size: int, data: st.DataObject) -> None:
    leaves = LEAVES[:size]
    index = data.draw(st.integers(0, size - 1))
    root, proof = root_of(leaves), inclusion_proof(leaves, index)

    assert len(proof) <= (size - 1).bit_length()
    assert is_included(leaves[index], index, size, proof, root)
    assert not is_included(leaf_hash(b"another"), index, size, proof, root)
    for other in set(data.draw(st.lists(st.integers(-2, size + 2), max_size=5))) - {index}:
        assert not is_included(leaves[index], other, size, proof, root)
    for wrong in _changed(proof, data):
        assert not is_included(leaves[index], index, size, wrong, root)


@given(sizes, sizes, st.data())
def test_a_log_that_grew_can_be_shown_to_have(one: int, other: int, data: st.DataObject) -> None:
    old_size, size = sorted((one, other))
    old, new = root_of(LEAVES[:old_size]), root_of(LEAVES[:size])
    proof = consistency_proof(LEAVES[:size], old_size)

    assert has_grown(old_size, old, size, new, proof)
    for wrong in _changed(proof, data):
        assert not has_grown(old_size, old, size, new, wrong)


@given(sizes, sizes, st.data())
def test_no_proof_shows_that_a_log_grew_that_was_rewritten(one: int, other: int, data: st.DataObject) -> None:
    old_size, size = sorted((one, other))
    rewritten = list(LEAVES[:size])
    rewritten[data.draw(st.integers(0, old_size - 1))] = leaf_hash(b"rewritten")
    old, new = root_of(LEAVES[:old_size]), root_of(rewritten)

    for proof in (
        consistency_proof(rewritten, old_size),
        consistency_proof(LEAVES[:size], old_size),
        [],
        [old],
    ):
        assert not has_grown(old_size, old, size, new, proof)


@given(sizes, st.integers(1, 9))
def test_a_log_that_was_cut_has_not_grown(size: int, cut: int) -> None:
    old, new = root_of(LEAVES[:size]), root_of(LEAVES[: max(size - cut, 0)])

    assert not has_grown(size, old, max(size - cut, 0), new, [])
    assert not has_grown(size, old, max(size - cut, 0), new, [new, old])


def test_every_log_has_grown_from_none() -> None:
    assert has_grown(0, EMPTY_ROOT, 3, root_of(LEAVES[:3]), [])
    assert not has_grown(0, LEAVES[0], 3, root_of(LEAVES[:3]), [])
    assert not has_grown(0, EMPTY_ROOT, 3, root_of(LEAVES[:3]), [LEAVES[0]])


@pytest.mark.parametrize("index", [-1, 3])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_proof(LEAVES[:3], index)


@pytest.mark.parametrize("old_size", [0, 4])
def test_there_is_no_proof_of_growth_from_what_was_not(old_size: int) -> None:
    with pytest.raises(IndexError):
        consistency_proof(LEAVES[:3], old_size)


def _changed(proof: list[bytes], data: st.DataObject) -> list[list[bytes]]:
    """The same with a node more, one less, one changed, and two in another order."""
    wrong = [[*proof, LEAVES[0]], [LEAVES[0], *proof]]
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        bit = data.draw(st.integers(0, 255))
        node = bytearray(proof[place])
        node[bit // 8] ^= 1 << bit % 8
        wrong += [proof[:-1], proof[1:], [*proof[:place], bytes(node), *proof[place + 1 :]]]
    if len(proof) > 1:
        wrong.append(proof[::-1])
    return wrong


@given(st.integers(1, 130), st.data())
def test_a_log_tree_has_every_root_and_proof_that_it_ever_had(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    tree = LogTree()
    for leaf in leaves:
        tree.add(leaf)
    new = data.draw(st.integers(1, size))
    old = data.draw(st.integers(1, new))

    assert tree.size == size
    assert tree.root(new) == root_of(leaves[:new])
    assert tree.consistency_proof(old, new) == consistency_proof(leaves[:new], old)


@given(st.integers(0, 70), st.integers(0, 20))
def test_a_frontier_goes_on_by_itself(size: int, further: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size + further)]
    tree = LogTree()
    for leaf in leaves[:size]:
        tree.add(leaf)

    frontier = tree.frontier()
    for leaf in leaves[size:]:
        frontier.add(leaf)

    assert frontier.root == root_of(leaves)
    assert tree.size == size


def test_a_log_tree_has_no_roots_and_proofs_of_what_it_was_not() -> None:
    tree = LogTree()
    assert tree.root(0) == EMPTY_ROOT
    tree.add(leaf_hash(b"a"))
    for ask in (
        lambda: tree.root(2),
        lambda: tree.root(-1),
        lambda: tree.consistency_proof(0, 1),
        lambda: tree.consistency_proof(2, 1),
        lambda: tree.consistency_proof(1, 2),
    ):
        with pytest.raises(IndexError):
            ask()
