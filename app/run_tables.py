"""`python -m app.run_tables`: write what docs/commands.md and pyproject.toml say of a run's settings.

Both derive from `shared.run_spec.RunSpec`: the table of the flags, and the run config that `flwr
run` begins with. Run it in the checkout, after a change to RunSpec.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from types import MappingProxyType

from app.run_flags import IID_FLAG
from shared.run_fields import RunField, all_fields
from shared.run_spec import RunSpec

TABLE = re.compile(r"(?<=<!-- python -m app.run_tables -->\n).*?(?=<!-- until here -->)", re.DOTALL)
RUN_CONFIG = re.compile(r"(?<=^\[tool\.flwr\.app\.config\]\n).*?(?=\n\[)", re.DOTALL | re.MULTILINE)


def flag_table() -> str:
    """The flags that describe a run, with their defaults, as a table in Markdown."""
    rows = [_row(field) for field in all_fields(RunSpec) if field.flag is not None]
    return "\n".join(["", "| flag | default | |", "|---|---|---|", *rows, "", ""])


def run_config() -> str:
    """RunSpec's defaults as lines of TOML."""
    # What JSON makes of a text, a number or a boolean is TOML as well
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in RunSpec().to_run_config().items())


GENERATED: Mapping[str, tuple[re.Pattern[str], Callable[[], str]]] = MappingProxyType(
    {"docs/commands.md": (TABLE, flag_table), "pyproject.toml": (RUN_CONFIG, run_config)}
)
"""By file: the part of it that is generated, and what it should be."""


def with_tables(name: str, text: str) -> str:
    """The text of one of the files with its generated part up to date.

    Raises ValueError where the text has no such part.
    """
    part, generate = GENERATED[name]
    if part.search(text) is None:
        raise ValueError(f"{name} has lost the lines around the part that is generated: {part.pattern}")
    return part.sub(lambda _: generate(), text)


def main() -> None:
    """Bring both files in the working directory up to date."""
    for name in GENERATED:
        path = Path(name)
        path.write_text(with_tables(name, path.read_text(encoding="utf-8")), encoding="utf-8")


def _row(field: RunField) -> str:
    flags = f"`{field.flag}`" + (f", `{IID_FLAG}`" if field.name == "alpha" else "")
    choices = [f"`{choice.value}`" for choice in field.kind] if issubclass(field.kind, Enum) else []
    words = ": ".join(filter(None, [field.description, ", ".join(choices)]))
    return f"| {flags} | {_default(field)} | {words} |"


def _default(field: RunField) -> str:
    match field.default:
        case None:
            return field.use.null
        case Enum():
            return str(field.default.value)
        case bool():
            return "yes" if field.default else "no"
        case int() | float():
            return f"{field.default:g}"
        case _:
            return ""


if __name__ == "__main__":
    main()
