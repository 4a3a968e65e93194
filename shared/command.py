"""What all commands that print have in common: how they end."""

from __future__ import annotations

import functools
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

from shared.errors import FedLoomError
from shared.interrupt import INTERRUPTED, end_on_signals

READER_GONE = 141
"""The exit code of a command whose output nobody reads any more, as of one that SIGPIPE has ended."""

Main = Callable[[Sequence[str] | None], int]


class ReaderGone(BaseException):
    """Whoever read what is printed has gone, as `head` does. No OSError, which a command may explain as one
    of a file, and no error at all."""


def ends_in_words(main: Main) -> Callable[..., int]:
    """A `main` that says in words what is wrong, and returns 1 then; or INTERRUPTED, if that is what ended
    it."""

    @functools.wraps(main)
    def carry_out(argv: Sequence[str] | None = None) -> int:
        try:
            return main(argv)
        except FedLoomError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            return INTERRUPTED

    return carry_out


def run(main: Callable[[], int]) -> NoReturn:
    """Be the process of a command. File names are printed as they are, also those that are no UTF-8."""
    end_on_signals()
    sys.stdout = _Output.of(sys.stdout, "surrogateescape")
    sys.stderr = _Output.of(sys.stderr, "backslashreplace")
    code: str | int | None
    try:
        try:
            code = main()
        except SystemExit as ended:  # argparse has said what there is to say
            code = ended.code
        sys.stdout.flush()
    except ReaderGone:
        code = READER_GONE
        # What is left in the buffers is written when the process ends, and must not be said to fail.
        for descriptor in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
    sys.exit(code)


class _Output(io.TextIOWrapper):
    """Raises ReaderGone where another raises BrokenPipeError."""

    @classmethod
    def of(cls, stream: TextIO, errors: str) -> TextIO:
        """The same stream; it stays what it is where it has no bytes below."""
        if not isinstance(stream, io.TextIOWrapper):
            return stream
        encoding = stream.encoding
        at_once, unbuffered = stream.line_buffering, stream.write_through
        return cls(stream.detach(), encoding, errors, line_buffering=at_once, write_through=unbuffered)

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError as error:
            raise ReaderGone from error

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError as error:
            raise ReaderGone from error
