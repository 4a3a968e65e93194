"""Small wheels, and an index of packages in a folder: what an installation needs in place of a network."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

PYTORCH_AND_MORE = "tiny==1.0\ntorch==2.0\ntorchvision==1.0\nnvidia-cublas==9.0\ncuda-toolkit==9.0\n"
"""Requirements, as a lock has them: with what PyTorch's default build needs."""

INFO = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def make_wheel(
    folder: Path, name: str, version: str, *requires: str, programs: Mapping[str, str] | None = None
) -> Path:
    """A wheel with one module, which says its version, and programs by name: the text of a script each."""
    folder.mkdir(parents=True, exist_ok=True)
    name = name.replace("-", "_")
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {each}\n" for each in requires)
    scripts = {f"{name}-{version}.data/scripts/{each}": text for each, text in (programs or {}).items()}
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"VERSION = {version!r}\n")
        wheel.writestr(
            f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}"
        )
        wheel.writestr(f"{about}/WHEEL", INFO)
        for path_inside, text in scripts.items():
            info = zipfile.ZipInfo(path_inside)
            info.external_attr = (stat.S_IFREG | 0o755) << 16
            wheel.writestr(info, text)
        listed = (f"{name}.py", f"{about}/METADATA", f"{about}/WHEEL", f"{about}/RECORD", *scripts)
        wheel.writestr(f"{about}/RECORD", "".join(f"{each},,\n" for each in listed))
    return path


class Index:
    """A folder that pip takes for an index."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True)

    def add(self, name: str, version: str, *requires: str, programs: Mapping[str, str] | None = None) -> None:
        """A package, of which the index may have other versions already."""
        of_package = self._folder / name
        make_wheel(of_package, name, version, *requires, programs=programs)
        links = "".join(
            f'<a href="{path.name}">{path.name}</a>\n' for path in sorted(of_package.glob("*.whl"))
        )
        (of_package / "index.html").write_text(f"<!DOCTYPE html>\n<html><body>\n{links}</body></html>\n")

    def read(self, package: str, name: str) -> bytes | None:
        """One of a package's files; its page by the name ""; None: there is none."""
        path = self._folder / package / (name or "index.html")
        return path.read_bytes() if path.is_file() else None

    @property
    def url(self) -> str:
        return self._folder.as_uri()
