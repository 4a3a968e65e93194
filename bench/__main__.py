"""The command line: `python -m bench round --json round.json`."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from bench import dp, mesh, overhead, page, payload, recover, round, secagg, sign, viewers
from bench.report import Result, table, write_json
from shared.console import configure_logging
from shared.errors import FedLoomError
from shared.interrupt import end_on_signals
from shared.result_file import try_to_write

BENCHMARKS: Mapping[str, Callable[[int, bool], Result]] = MappingProxyType(
    {
        "round": round.measure,
        "overhead": overhead.measure,
        "payload": payload.measure,
        "sign": sign.measure,
        "recover": recover.measure,
        "dp": dp.measure,
        "secagg": secagg.measure,
        "mesh": mesh.measure,
        "page": page.measure,
        "viewers": viewers.measure,
    }
)


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table, write the JSON; 1: a number is not reached, 2: nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", choices=list(BENCHMARKS), help="what to measure")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--repeats", type=_positive, default=3, help="runs, of which the median counts (%(default)s)"
    )
    length.add_argument(
        "--quick", action="store_true", help="one short run: does it work? no figure to quote"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result to this file")
    arguments = parser.parse_args(argv)
    if arguments.json is not None:
        try:
            try_to_write(arguments.json)
        except OSError as error:
            parser.error(f"--json {arguments.json}: nothing can be written there ({error.strerror})")
    configure_logging("bench")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it reports every request
    end_on_signals()
    try:
        result = BENCHMARKS[arguments.name](1 if arguments.quick else arguments.repeats, arguments.quick)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    except FedLoomError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table(result))
    if arguments.json is not None:
        write_json(result, arguments.json)
    return 0 if result.all_reached else 1


def _positive(text: str) -> int:
    value = int(text) if text.isdecimal() else 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 up")
    return value


if __name__ == "__main__":
    sys.exit(main())
