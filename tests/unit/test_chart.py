"""The chart for Kubernetes: Helm has no objection, its objects are valid, and they belong together."""

from __future__ import annotations

import json

import kubernetes_validate
import pytest

from shared.version import __version__
from tests.support.chart import (
    CHART,
    EXAMPLES,
    WORKLOADS,
    ChartRefused,
    Installation,
    example,
    installed,
    linted,
    rendered,
)

OLDEST = "1.25"
"""That `kubeVersion` in Chart.yaml names."""

THEIRS = {"fedloom-invitation", "fedloom-postgresql", "fedloom-redis", "registry-login"}
"""Secrets that the examples say are there, as the chart says of what is `our-…`."""


@pytest.fixture(params=EXAMPLES)
def chart(request: pytest.FixtureRequest) -> Installation:
    return installed(request.param)


def test_helm_has_no_objection() -> None:
    assert [linted(values) for values in ("", *map(example, EXAMPLES))] == [[]] * (len(EXAMPLES) + 1)


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
def test_kubernetes_takes_every_object_and_knows_every_field(version: str) -> None:
    different = {json.dumps(each): each for name in EXAMPLES for each in installed(name).objects}

    for each in different.values():
        kubernetes_validate.validate(each, version, strict=True)

    assert f'kubeVersion: ">={OLDEST}.0-0"' in (CHART / "Chart.yaml").read_text()


def test_no_two_objects_have_one_name(chart: Installation) -> None:
    names = [(each["kind"], each["metadata"]["name"]) for each in chart.objects]

    assert len(set(names)) == len(names)


def test_every_service_finds_pods_with_its_port(chart: Installation) -> None:
    for service in chart.all("Service"):
        (component,) = chart.components(service["spec"]["selector"])
        ports = {each["name"] for each in chart.container(component).get("ports", [])}
        assert {each["targetPort"] for each in service["spec"].get("ports", [])} <= ports


def test_every_volume_that_is_mounted_is_there_and_none_is_for_nothing(chart: Installation) -> None:
    for workload in chart.all(*WORKLOADS):
        spec = workload["spec"]["template"]["spec"]
        claims = workload["spec"].get("volumeClaimTemplates", [])
        volumes = [each["name"] for each in spec.get("volumes", [])]
        volumes += [each["metadata"]["name"] for each in claims]
        mounts = [each["name"] for each in spec["containers"][0]["volumeMounts"]]
        assert sorted(mounts) == sorted(volumes)


def test_every_secret_and_account_is_made_or_was_there(chart: Installation) -> None:
    made = {each["metadata"]["name"] for each in chart.all("Secret")}
    for _, template in chart.pods():
        spec = template["spec"]
        secrets = [each["secret"]["secretName"] for each in spec["volumes"] if "secret" in each]
        environment = spec["containers"][0]["env"]
        secrets += [
            each["valueFrom"].get("secretKeyRef", {}).get("name")
            for each in environment
            if "valueFrom" in each
        ]
        for name in filter(None, secrets):
            assert name in made | THEIRS or name.startswith("our-")
        chart.one("ServiceAccount", spec["serviceAccountName"])


def test_selectors_find_what_they_are_for(chart: Installation) -> None:
    for each in chart.all(*WORKLOADS, "PodDisruptionBudget"):
        selector = each["spec"]["selector"]["matchLabels"]
        assert chart.components(selector) == {each["metadata"]["labels"]["app.kubernetes.io/component"]}


def test_the_ingress_leads_to_the_page() -> None:
    for name, page in (("full", "dashboard"), ("gpu", "server")):
        chart = installed(name)
        (ingress,) = chart.all("Ingress")
        backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        service = chart.one("Service", backend["name"])
        assert chart.components(service["spec"]["selector"]) == {page}
        assert backend["port"]["name"] in {each["name"] for each in service["spec"]["ports"]}


def test_dashboards_go_one_after_the_other_and_stand_apart() -> None:
    chart = installed("full")

    (budget,) = chart.all("PodDisruptionBudget")
    assert budget["spec"]["maxUnavailable"] == 1
    spread = dict(chart.pods())["dashboard"]["spec"]["topologySpreadConstraints"][0]
    assert chart.components(spread["labelSelector"]["matchLabels"]) == {"dashboard"}
    assert chart.one("Deployment", "prod-fedloom-dashboard")["spec"]["replicas"] == 3


def test_pods_have_no_more_rights_than_they_need(chart: Installation) -> None:
    for account in chart.all("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False
    for _, template in chart.pods():
        pod, container = template["spec"], template["spec"]["containers"][0]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        # Else a key's file would be its group's, too, at the next start, and not used any more.
        assert pod["securityContext"]["fsGroupChangePolicy"] == "OnRootMismatch"


def test_each_client_has_a_key_of_its_own_that_stays() -> None:
    clients = installed("full").one("StatefulSet", "prod-fedloom-client")["spec"]

    assert [each["metadata"]["name"] for each in clients["volumeClaimTemplates"]] == ["home"]
    assert clients["persistentVolumeClaimRetentionPolicy"] == {
        "whenDeleted": "Retain",
        "whenScaled": "Retain",
    }


def test_the_images_are_of_this_version_unless_values_say_another() -> None:
    assert installed("small").container("server")["image"] == f"fedloom-server:{__version__}"
    assert installed("gpu").container("client")["image"] == f"fedloom-client:{__version__}-cuda"
    assert installed("full").container("dashboard")["image"] == "registry.example.org/fedloom-server:1.2.3"


def test_a_group_of_users_that_the_cluster_chooses_is_none_of_ours() -> None:
    chart = rendered("podSecurityContext: {runAsUser: null, runAsGroup: null, fsGroup: null}")

    for _, template in chart.pods():
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & template["spec"]["securityContext"].keys()


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ("clients: {replica: 3}", "replica"),
        ("link: {port: 80}", "port"),
        ("dashboards: {enabled: true, replicas: 0}", "replicas"),
        ("publicUrl: fl.example.org", "publicUrl"),
        ("trustedProxies: [proxy.example.org]", "trustedProxies"),
        ("clients: {device: gpu}", "device"),
        ("ingress: {enabled: true, host: fl.example.org}", "trustedProxies is needed with an ingress"),
        ("{ingress: {enabled: true}, trustedProxies: [10.0.0.7]}", "ingress.host is needed"),
        ("redis: {existingSecret: fedloom-redis}", "redis is for dashboards"),
        ("server: {tls: {existingSecret: our-tls}}", "server.tls is between dashboards and server"),
    ],
)
def test_values_that_make_no_sense_are_refused_in_words(values: str, word: str) -> None:
    with pytest.raises(ChartRefused, match=word):
        rendered(values)
