"""How many clients an app is made for is read from its federations, in every form that they have had."""

from __future__ import annotations

import tomllib

import pytest

from shared.federations import supernodes_of


@pytest.mark.parametrize(
    ("text", "supernodes"),
    [
        ('default = "local"\n[local]\noptions.num-supernodes = 10', 10),
        (
            'default = "local"\n[local.options]\nnum-supernodes = 10\nbackend.client-resources.num-cpus = 2',
            10,
        ),
        ('default = "b"\n[a]\noptions.num-supernodes = 10\n[b]\noptions.num-supernodes = 20', 20),
        ("[a]\noptions.num-supernodes = 10", 10),
        ('default = "remote"\n[remote]\naddress = "x:1"\n[local]\noptions.num-supernodes = 5', 5),
        ('default = "gone"\n[local]\noptions.num-supernodes = 5', 5),
        ('default = "remote"\n[remote]\naddress = "x:1"\ninsecure = true', None),
        ("[a]\noptions.num-supernodes = 0", None),
        ('[a]\noptions.num-supernodes = "many"', None),
        ("[a]\noptions = 3", None),
        ("a = 3\ndefault = 4", None),
        ("", None),
    ],
)
def test_the_default_federation_says_it_or_else_the_first_that_does(
    text: str, supernodes: int | None
) -> None:
    assert supernodes_of(tomllib.loads(text)) == supernodes


@pytest.mark.parametrize("federations", [None, 3, [], "local"])
def test_what_is_no_table_says_nothing(federations: object) -> None:
    assert supernodes_of(federations) is None
