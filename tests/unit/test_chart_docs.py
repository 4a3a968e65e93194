"""docs/kubernetes.md says what fits the chart: its values, and the names in its commands."""

from __future__ import annotations

import re
import shlex

import pytest

from app import invite
from tests.support.chart import CHART, Installation, mounted, rendered
from tests.support.documents import blocks, commands
from tests.support.processes import ROOT

DOCUMENT = "docs/kubernetes.md"
SMALL, LARGE = blocks(DOCUMENT, "yaml")


@pytest.fixture(scope="module")
def chart() -> Installation:
    """What the document has people install."""
    return rendered(SMALL, release="fedloom")


def words(start: str) -> list[list[str]]:
    """The commands that begin so, as the shell divides them."""
    found = [shlex.split(line) for line in commands(DOCUMENT) if line.startswith(start)]
    assert found
    return found


def test_helm_is_given_the_chart() -> None:
    assert {ROOT / line[3] for line in words("helm ")} == {CHART}
    assert {line[2] for line in words("helm ")} == {"fedloom"}


def test_pods_and_services_have_these_names(chart: Installation) -> None:
    for line in words("kubectl "):
        match line[3:]:
            case ["exec" | "logs", pod, *_]:
                chart.one("StatefulSet", pod.removesuffix("-0"))
            case ["port-forward", service, ports]:
                (port,) = chart.one("Service", service.removeprefix("service/"))["spec"]["ports"]
                assert port["port"] == int(ports.partition(":")[2])
            case ["cp", source, _]:
                pod, _, path = source.partition(":")
                template = chart.one("StatefulSet", pod.removesuffix("-0"))["spec"]["template"]
                assert mounted(template, path).parts[0] == "home"
            case ["create", "secret", "generic", *_]:
                pass
            case other:
                pytest.fail(f"nothing looks at {other}")


def test_invitations_lead_to_the_link(chart: Installation) -> None:
    inner, outer = [
        line[line.index("app.invite") + 1 :] for line in words("kubectl ") if "app.invite" in line
    ]

    host = invite.wish_from(invite.build_parser().parse_args(inner[: inner.index(">")])).host
    assert chart.one("Service", str(host))
    assert " ".join(shlex.quote(word) for word in inner[: inner.index(">")]) in chart.notes
    invite.wish_from(invite.build_parser().parse_args(outer))


def test_secrets_have_the_names_that_pods_look_for(chart: Installation) -> None:
    large = rendered(LARGE, release="fedloom")
    known = {
        (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for each in large.container("server")["env"]
        if "secretKeyRef" in each.get("valueFrom", {})
    }
    for volume in dict(chart.pods())["client"]["spec"]["volumes"]:
        if "secret" in volume:
            known.add((volume["secret"]["secretName"], volume["secret"]["items"][0]["key"]))

    made = {
        (line[6], re.sub(r"--from-file=(\w+)=.*", r"\1", line[7]))
        for line in words("kubectl ")
        if line[3:6] == ["create", "secret", "generic"]
    }
    assert made == known
