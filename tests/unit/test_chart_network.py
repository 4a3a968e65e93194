"""Who may connect to whom in the cluster, by the chart's network policies: web, federation and data apart."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.chart import Installation, installed, rendered

ANYBODY = "anybody"
WEB, LINK, DATABASE, REDIS = 5000, 5050, 5432, 6379
NAMES = {53, 5353}


def allows(chart: Installation, rules: list[dict[str, Any]], side: str, other: str, port: int) -> bool:
    """Whether one of the rules lets somebody come from, or go to, another one. `other`: a component, or
    somebody who is none."""
    for rule in rules:
        if port not in [each["port"] for each in rule["ports"]]:
            continue
        if side not in rule:
            return True
        for peer in rule[side]:
            if other in chart.components(peer.get("podSelector", {}).get("matchLabels", {"no": "one"})):
                return True
    return False


def may(chart: Installation, one: str, other: str, port: int) -> bool:
    """Whether pods of `one` may connect to those of `other`."""
    policies = {
        component: policy["spec"]
        for policy in chart.all("NetworkPolicy")
        for component in chart.components(policy["spec"]["podSelector"]["matchLabels"])
    }
    may_go = one not in policies or allows(chart, policies[one]["egress"], "to", other, port)
    return may_go and (other not in policies or allows(chart, policies[other]["ingress"], "from", one, port))


@pytest.mark.parametrize(
    ("one", "other", "port", "expected"),
    [
        ("dashboard", "server", WEB, True),
        ("client", "server", LINK, True),
        ("client", "server", WEB, False),
        ("client", "dashboard", WEB, False),
        ("dashboard", "server", LINK, False),
        ("dashboard", "client", LINK, False),
        ("server", "client", LINK, False),
        (ANYBODY, "server", WEB, False),
        (ANYBODY, "server", LINK, False),
        (ANYBODY, "client", LINK, False),
        (ANYBODY, "dashboard", LINK, False),
    ],
)
def test_web_and_federation_are_apart(one: str, other: str, port: int, expected: bool) -> None:
    chart = rendered("dashboards: {enabled: true}")

    assert may(chart, one, other, port) is expected


def test_whoever_is_let_to_the_page_is_let_there_alone() -> None:
    for values, page in (("dashboards: {enabled: true}", "dashboard"), ("", "server")):
        assert may(rendered(values), ANYBODY, page, WEB)
    (policy,) = [
        each
        for each in installed("full").all("NetworkPolicy")
        if each["metadata"]["name"].endswith("dashboard")
    ]
    (rule,) = policy["spec"]["ingress"]
    assert rule["from"] == [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    ]


def test_the_link_is_open_to_others_once_its_service_is() -> None:
    closed, opened = rendered(""), rendered("link: {type: LoadBalancer}")

    assert not may(closed, ANYBODY, "server", LINK)
    assert may(opened, ANYBODY, "server", LINK)
    assert may(opened, "client", "server", LINK)
    assert may(installed("full"), "client", "server", LINK)
    assert not may(installed("full"), ANYBODY, "server", LINK)  # of all addresses, those in linkFrom alone


def test_the_server_sees_where_clients_come_from_unless_every_node_is_to_answer() -> None:
    policies = [
        rendered(values).one("Service", "prod-fedloom-link")["spec"].get("externalTrafficPolicy")
        for values in (
            "",
            "link: {type: LoadBalancer}",
            "link: {type: NodePort, port: 30050}",
            "link: {type: LoadBalancer, externalTrafficPolicy: Cluster}",
        )
    ]

    assert policies == [None, "Local", "Cluster", "Cluster"]


def test_data_is_within_reach_of_those_alone_who_use_it() -> None:
    reached = {
        policy["metadata"]["name"].removeprefix("prod-fedloom-"): {
            each["port"] for rule in policy["spec"]["egress"] for each in rule["ports"]
        }
        for policy in installed("full").all("NetworkPolicy")
    }

    assert reached == {
        "server": {*NAMES, DATABASE, REDIS, 443},
        "dashboard": {*NAMES, WEB, REDIS},
        "client": {*NAMES, LINK},
    }


def test_every_kind_of_pod_has_a_policy_unless_there_are_to_be_none() -> None:
    for name in ("small", "full", "secrets"):
        chart = installed(name)
        assert len(chart.all("NetworkPolicy")) == len(list(chart.pods()))
    assert installed("gpu").all("NetworkPolicy") == []
