"""What the chart's pods start: flags that the programs take, secrets that nobody sees, ends that wait."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from app import invite, settings
from app.role_flags import PublicUrl
from app.settings import ServerSettings
from client import cli
from client.settings import ClientSettings
from client.site.policy import UsageRule
from shared.address import Address
from shared.security.invitation import Invitation
from shared.security.keys import KeyPair
from tests.support.chart import CHART, EXAMPLES, installed, mounted
from tests.support.processes import ROOT

SECRETS = ("FEDLOOM_STORE", "FEDLOOM_REDIS")
CHECKOUT = "/opt/fedloom"
"""Where FedLoom is in the images."""
DOCKERFILES = [
    ROOT / "containers" / name
    for name in ("Dockerfile.server", "Dockerfile.client")
    if (ROOT / "containers" / name).exists()
]


def server(name: str, component: str = "server") -> ServerSettings:
    """As the server's or a dashboard's process would read its flags."""
    return settings.parse(installed(name).container(component)["args"])


def client(name: str, files: Mapping[str, Path]) -> ClientSettings:
    """As a client's process would. `files`: what the volumes hold, by their names in the pod."""
    args = [files_of(each, files) for each in installed(name).container("client")["args"]]
    return cli.parse([each.replace("$(POD_NAME)", "prod-fedloom-client-4") for each in args])


def files_of(flag: str, files: Mapping[str, Path]) -> str:
    return str(files[flag]) if flag in files else flag


@pytest.fixture
def invitation(tmp_path: Path, key: KeyPair) -> Path:
    path = tmp_path / "invitation"
    path.write_text(f"{Invitation(Address('prod-fedloom-link', 5050), key.public.id, 'a' * 32)}\n")
    return path


def test_alone_the_server_is_everything() -> None:
    small = server("small")

    assert (small.host, small.port, small.link_port) == ("0.0.0.0", 5000, 5050)
    assert small.deployment.role == "all"
    assert not small.is_for_this_machine
    gpu = server("gpu").deployment
    assert gpu.public_url == PublicUrl("https://fl.example.org")
    assert [str(each) for each in gpu.trusted_proxies] == ["10.244.0.0/16"]


def test_with_dashboards_the_server_is_their_federation() -> None:
    federation, dashboard = server("full").deployment, server("full", "dashboard").deployment

    assert (federation.role, dashboard.role) == ("federation", "dashboard")
    assert federation.replica_key == dashboard.replica_key
    assert federation.public_url == dashboard.public_url == PublicUrl("https://fl.example.org")
    assert [str(each) for each in dashboard.trusted_proxies] == ["10.244.0.0/16", "fd00::/8"]
    assert federation.trusted_proxies == ()  # only dashboards come to it, and show the key
    assert server("full").keep.days == 365


@pytest.mark.parametrize("name", ["full", "secrets"])
def test_dashboards_ask_the_server_where_it_answers(name: str) -> None:
    chart, url = installed(name), server(name, "dashboard").deployment.federation
    found = re.fullmatch(r"(https?)://([a-z-]+):(\d+)", url or "")

    assert found is not None
    service = chart.one("Service", found[2])
    assert chart.components(service["spec"]["selector"]) == {"server"}
    assert int(found[3]) in {each["port"] for each in service["spec"]["ports"]}
    assert (found[1] == "https") is server(name).tls
    scheme = chart.container("server")["readinessProbe"]["httpGet"]["scheme"]
    assert scheme == found[1].upper()


def test_a_dashboard_takes_the_servers_own_certificate_and_has_not_its_key() -> None:
    chart, deployment = installed("secrets"), server("secrets", "dashboard").deployment
    template = dict(chart.pods())["dashboard"]

    assert server("secrets").tls_cert == deployment.federation_cert
    assert deployment.public_url == PublicUrl("https://example.org", "/fedloom")
    assert mounted(template, str(deployment.federation_cert)) == Path("tls/tls.crt")
    (volume,) = [each for each in template["spec"]["volumes"] if each["name"] == "tls"]
    assert volume["secret"]["items"] == [{"key": "tls.crt", "path": "tls.crt"}]


@pytest.mark.parametrize("name", EXAMPLES)
def test_files_that_flags_name_are_mounted(name: str) -> None:
    for component, template in installed(name).pods():
        for flag in installed(name).container(component)["args"]:
            if flag.startswith("/") and not flag.startswith("//"):
                mounted(template, flag)


def test_clients_join_by_the_invitation_under_the_names_of_their_pods(
    invitation: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "client.toml"
    chart = installed("full")
    policy.write_text(chart.one("ConfigMap", "prod-fedloom-client-policy")["data"]["client.toml"])
    files = {"/run/secrets/fedloom/invitation/invitation": invitation, "/etc/fedloom/client.toml": policy}

    one = client("full", files)

    assert one.client_id == "prod-fedloom-client-4"
    assert one.invite is not None
    assert one.policy.usage is UsageRule.OFF
    assert client("gpu", files).device == "cuda"
    assert chart.container("client")["env"][0] == {
        "name": "POD_NAME",
        "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}},
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_links_port_is_the_one_that_invitations_name(name: str) -> None:
    chart = installed(name)
    (port,) = chart.one("Service", "prod-fedloom-link")["spec"]["ports"]

    assert port["port"] == server(name).link_port
    assert port.get("nodePort", port["port"]) == port["port"]


def test_the_invitation_that_notes_have_made_is_the_one_that_pods_wait_for() -> None:
    chart = installed("secrets")
    command = re.search(r"python -m app\.invite (.*) \|", chart.notes)
    secret = re.search(r"create secret generic (\S+) --from-file=(\S+)=/dev/stdin", chart.notes)

    assert command is not None
    wish = invite.wish_from(invite.build_parser().parse_args(command[1].split()))
    assert (wish.kind, wish.host, wish.expires_s) == ("reusable", "prod-fedloom-link", None)
    chart.one("Service", str(wish.host))
    (volume,) = [
        each["secret"]
        for each in dict(chart.pods())["client"]["spec"]["volumes"]
        if each["name"] == "invitation"
    ]
    assert secret is not None
    assert secret.groups() == (volume["secretName"], volume["items"][0]["key"])


@pytest.mark.parametrize("name", EXAMPLES)
def test_secrets_stand_in_no_flag_and_no_variable(name: str) -> None:
    for component, _ in installed(name).pods():
        container = installed(name).container(component)
        assert not [flag for flag in container["args"] if re.search(r"//[^/]*:[^/]*@|^fedloom://", flag)]
        assert not {"--store", "--redis", "--invite"} & set(container["args"])
        for variable in container["env"]:
            if variable["name"] in SECRETS:
                assert variable.keys() == {"name", "valueFrom"}
                assert "secretKeyRef" in variable["valueFrom"]


def test_database_and_redis_are_known_to_those_alone_who_use_them() -> None:
    used = {
        component: {each["name"] for each in installed("full").container(component)["env"]} & set(SECRETS)
        for component in ("server", "dashboard", "client")
    }

    assert used == {"server": set(SECRETS), "dashboard": {"FEDLOOM_REDIS"}, "client": set()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_stop_may_take_longer_than_the_round_that_goes_on(name: str) -> None:
    pod = dict(installed(name).pods())["server"]["spec"]

    assert pod["terminationGracePeriodSeconds"] >= server(name).drain_s + 10


def test_each_threads_flag_fits_the_cores_that_a_client_may_use() -> None:
    container = installed("small").container("client")
    flags = argparse.ArgumentParser()
    flags.add_argument("--threads", type=int)

    assert flags.parse_known_args(container["args"])[0].threads == int(
        container["resources"]["limits"]["cpu"]
    )


def test_every_value_is_explained_where_it_stands() -> None:
    blocks = re.split(r"\n\n", (CHART / "values.yaml").read_text())

    assert all(block.startswith("#") for block in blocks)


@pytest.mark.parametrize("name", EXAMPLES)
def test_pods_start_the_programs_of_their_images(name: str) -> None:
    for component in dict(installed(name).pods()):
        _, program = installed(name).container(component)["command"]
        assert (ROOT / Path(program).relative_to(CHECKOUT)).exists()
    for dockerfile in DOCKERFILES:
        assert f"WORKDIR {CHECKOUT}" in dockerfile.read_text()


def test_keys_are_in_the_volume_and_not_in_one_that_an_image_lays_over_it() -> None:
    laid = [
        Path(folder)
        for dockerfile in DOCKERFILES
        for listed in re.findall(r"^VOLUME (\[.*\])", dockerfile.read_text(), flags=re.MULTILINE)
        for folder in json.loads(listed)
    ]
    for component in ("server", "client"):
        template = dict(installed("small").pods())[component]
        variables = {each["name"]: each.get("value") for each in template["spec"]["containers"][0]["env"]}
        for name in ("FEDLOOM_HOME", "FEDLOOM_DATA_DIR"):
            folder = Path(variables[name])
            assert mounted(template, str(folder)).parts[0] == "home"
            assert not [each for each in laid if folder.is_relative_to(each) or each.is_relative_to(folder)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_flags_are_written_as_the_programs_have_them(name: str) -> None:
    """Their parsers also take the beginning of a flag, as long as there is no other like it."""
    for component in dict(installed(name).pods()):
        parser = cli.build_parser() if component == "client" else settings.build_parser()
        known = {flag for action in parser._actions for flag in action.option_strings}
        given = {each for each in installed(name).container(component)["args"] if each.startswith("--")}
        assert given <= known
