"""What is shown to be pasted means the same to a shell."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.shell import shell_quoted
from tests.support.tools import require


def read_by_a_shell(words: str) -> bytes:
    bash = require("bash", why="it reads what is to be pasted")
    return subprocess.run([bash, "-c", f"printf %s {words}"], capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    "name", ["plain", "with blank", "it's $HOME", 'a "b" `c`', "Bär", "B\udce4r's \\ x", "*"]
)
def test_a_shell_reads_the_name(name: str) -> None:
    assert read_by_a_shell(shell_quoted(name)) == os.fsencode(name)


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=1, max_size=20).filter(lambda name: b"\0" not in name))
def test_it_reads_any_name_that_a_file_can_have(name: bytes) -> None:
    word = shell_quoted(os.fsdecode(name))

    word.encode()
    assert read_by_a_shell(word) == name
