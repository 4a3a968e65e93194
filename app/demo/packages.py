"""What a Flower app asks for in its pyproject.toml and this Python does not have."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import InvalidRequirement, Requirement

from shared.shell import shell_quoted

KEPT = ("flwr", "torch", "torchvision")
"""What FedLoom stands on: their versions stay, whatever an app's packages would rather have."""

NUMPY = "numpy>=2"

NOT_NEEDED = {("flwr", "simulation")}
"""Extras, by package, that stand in nearly every app and that FedLoom does without: this one brings Ray."""


@dataclass(frozen=True)
class Packages:
    """In pip's notation."""

    missing: tuple[str, ...] = ()
    of_other_versions: tuple[str, ...] = ()
    """With the version that is installed, in words."""
    unreadable: tuple[str, ...] = ()


def compare_packages(dependencies: Iterable[str]) -> Packages:
    """Compare what an app asks for with what is installed; markers and extras count."""
    missing, others, unreadable = [], [], []
    for text in dependencies:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            unreadable.append(text)
            continue
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        requirement.marker = None
        installed = _installed(requirement)
        if installed is None or any(_lacks(requirement.name, extra) for extra in _extras(requirement)):
            missing.append(str(requirement))
        elif not requirement.specifier.contains(installed, prereleases=True):
            others.append(f"{requirement} ({installed} is installed)")
    return Packages(tuple(missing), tuple(others), tuple(unreadable))


def words_of(packages: Packages) -> Iterator[str]:
    """What a person should know before the app is started, a paragraph each; nothing if all is there."""
    if packages.missing:
        yield (
            f"The app asks for packages that are not installed here: {', '.join(packages.missing)}. Where it "
            f"imports them it will fail. To install them:\n  {install_command(packages.missing)}"
        )
    if packages.of_other_versions:
        yield (
            "The app asks for other versions than FedLoom works with here: "
            f"{', '.join(packages.of_other_versions)}. Often it runs with these as well."
        )
    if packages.unreadable:
        yield (
            "Among the app's dependencies, these cannot be understood, and were not looked for: "
            f"{', '.join(packages.unreadable)}."
        )


def install_command(packages: Iterable[str]) -> str:
    """For a shell: installs packages into the Python that runs, and leaves what FedLoom stands on."""
    kept = (*(f"{name}=={version(name)}" for name in KEPT), NUMPY)
    words = (sys.executable, "-m", "pip", "install", *packages, *kept)
    return " ".join(shell_quoted(word) for word in words)


def _installed(requirement: Requirement) -> str | None:
    try:
        return version(requirement.name)
    except PackageNotFoundError:
        return None


def _extras(requirement: Requirement) -> Iterator[str]:
    return (extra for extra in requirement.extras if (requirement.name, extra) not in NOT_NEEDED)


def _lacks(package: str, extra: str) -> bool:
    """Whether a package that is there lacks something of one of its extras."""
    for text in requires(package) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            continue  # the package needs it in any case
        if requirement.marker.evaluate({"extra": extra}) and _installed(requirement) is None:
            return True
    return False
