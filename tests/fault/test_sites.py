"""Sites on machines of their own join a server as docs/joining.md says, and stay through all that changes."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from shared.address import parse_address
from shared.security.certificate import make_certificate, reach
from shared.security.keys import KeyPair
from shared.security.server_identity import KEYS
from tests.conftest import StartServer
from tests.support.api import FINAL, Api, Json
from tests.support.documents import commands
from tests.support.manual import Manual
from tests.support.namespaces import NETWORK, Namespace, namespaces
from tests.support.processes import NO_NETWORK, Command, ServerProcess
from tests.support.waiting import wait_until

BY_PICTURE = ("a", "b")
BY_FILE = ("c", "d")
BY_APPROVAL = ("e", "f")
SIX = {*BY_PICTURE, *BY_FILE, *BY_APPROVAL}
CONNECTED = "connected to the server"
PICTURE, TEXT, ADDRESS = "invitation.png", "invitation.txt", "address.txt"
JOIN = "python run_client.py --client-id NAME --dataset digits"
SPEC = {"model": "linear", "min_clients": 4}
"""The one that is revoked and the one that has lost its key hold nobody up."""


class Site:
    """A machine at the end of a cable, with a folder for FedLoom. It knows of no proxy that works, and that
    the server is reached without."""

    def __init__(self, name: str, network: Namespace, home: Path, manual: Manual, ending: ExitStack) -> None:
        self.name = name
        self.network = network
        self.home = home
        self._manual = manual
        self._ending = ending
        home.mkdir(parents=True)

    def receive(self, sent: Path) -> None:
        """A file comes by mail."""
        shutil.copy(sent, self.home)

    def type(self, command: str) -> Command:
        """A command of the document, in this site's name."""
        words = self._manual.words(command, NAME=self.name)
        module = words[1] == "-m"
        script = " ".join(words[1:3]) if module else words[1]
        flags = words[3:] if module else words[2:]
        env = {**NO_NETWORK, "no_proxy": NETWORK}
        started = Command(script, *flags, home=self.home, env=env, before=self.network.command())
        self._ending.callback(started.end)
        return started

    def lose_disk(self) -> None:
        """With the key, and all that was remembered of the server."""
        shutil.rmtree(self.home)
        self.home.mkdir()


class Office:
    """Where the server is, and who runs it."""

    def __init__(self, host: str, manual: Manual, start_server: StartServer) -> None:
        self._host = host
        self._manual = manual
        self._start_server = start_server
        self._flags = manual.words("python run_server.py --host 0.0.0.0 --tls")[2:]
        self.server: ServerProcess = start_server(*self._flags)
        self.home = self.server.home

    def restart(self) -> None:
        """End the server, and start it again at the same ports."""
        self.server.end()
        ports = {"port": self.server.port, "link_port": self.server.link_port}
        self.server = self._start_server(*self._flags, **ports)

    def type(self, command: str, **meant: str) -> str:
        """A command of the document, beside the server; what it says."""
        return self._manual.carry_out(command, self.home, HOST=self._host, **meant)

    def send(self, file: str, *sites: Site) -> None:
        for site in sites:
            site.receive(self.home / file)


@pytest.fixture
def manual() -> Manual:
    return Manual(commands("docs/joining.md"))


@pytest.fixture
def sites(manual: Manual, tmp_path: Path) -> Iterator[dict[str, Site]]:
    """Six, by name."""
    with namespaces(len(SIX)) as networks, ExitStack() as ending:
        yield {
            name: Site(name, network, tmp_path / "sites" / name, manual, ending)
            for name, network in zip(sorted(SIX), networks, strict=True)
        }


@pytest.mark.timeout(400)
def test_six_sites_join_train_and_stay_through_all_that_changes(
    sites: dict[str, Site], manual: Manual, start_server: StartServer, tmp_path: Path
) -> None:
    office = Office(sites["a"].network.gateway, manual, start_server)
    with closing(Api(office.server.url)) as api:
        clients = {
            **join_by_picture(office, *(sites[name] for name in BY_PICTURE)),
            **join_by_file(office, *(sites[name] for name in BY_FILE)),
            **join_by_approval(office, api, *(sites[name] for name in BY_APPROVAL)),
        }
        train_with_all(api)

        run_id = api.start(**SPEC, num_rounds=1000)["id"]
        wait_for_round_of(api, run_id, SIX)
        revoke(office, api, clients.pop("b"))
        wait_for_round_of(api, run_id, SIX - {"b"})
        with paused(api, run_id):
            clients["d"].end()
            clients["d"] = readmit_with_another_key(office, api, sites["d"])
        wait_for_round_of(api, run_id, SIX - {"b"})

        restart_with_renewed_certificate(office)
        wait_for_round_of(api, run_id, SIX - {"b"})
        with paused(api, run_id):
            clients["b"] = readmit(office, sites["b"])
        wait_for_round_of(api, run_id, SIX)

        restart_with_another_key(office, clients)
        wait_for_round_of(api, run_id, SIX)
        assert api.stop(run_id).status_code == 200
        api.wait_for_run(run_id, "stopped")

    anybody_can_check_it(office, sites["a"], tmp_path / "auditor", manual)
    assert [client for client in clients.values() if "Traceback" in client.output] == []
    assert manual.untried == []


def join_by_picture(office: Office, *sites: Site) -> dict[str, Command]:
    """Each by its own; before, it looks whether it can."""
    for site in sites:
        office.type(f"""python -m app.invite --host HOST --label "St. Mary's" --picture {PICTURE}""")
        office.send(PICTURE, site)
    doctor = sites[0].type(f"python -m client.doctor --client-id NAME --dataset digits --invite-qr {PICTURE}")
    assert doctor.wait_for_exit(120) == 0, doctor
    return {site.name: site.type(f"{JOIN} --invite-qr {PICTURE}") for site in sites}


def join_by_file(office: Office, *sites: Site) -> dict[str, Command]:
    """Both by the same."""
    office.type(f"python -m app.invite --host HOST --kind reusable --limit 2 > {TEXT}")
    office.send(TEXT, *sites)
    return {site.name: site.type(f"{JOIN} --invite-file {TEXT}") for site in sites}


def join_by_approval(office: Office, api: Api, *sites: Site) -> dict[str, Command]:
    """Each tells its key by telephone."""
    office.type(f"python -m app.invite --host HOST --kind approval > {ADDRESS}")
    office.send(ADDRESS, *sites)
    clients = {site.name: site.type(f"{JOIN} --invite-file {ADDRESS}") for site in sites}
    for name, client in clients.items():
        told = client.wait_for_output(r"does not know the key (\S+) yet")[1]
        assert told in office.type("python -m app.clients list")
        assert api.clients()[name]["membership"] == "pending"
        assert told in office.type("python -m app.clients approve NAME", NAME=name)
    return clients


def train_with_all(api: Api) -> None:
    """A whole run, in which nobody is missing and everything is verified."""
    for name in SIX:
        assert api.wait_for_client(name, "idle")["membership"] == "admitted"
    run_id = api.start(**SPEC, num_rounds=2)["id"]
    api.wait_for_run(run_id, "completed")
    assert [whose(round_) for round_ in api.rounds(run_id)[1:]] == [SIX, SIX]


def whose(round_: Json) -> set[str]:
    """Those whose updates were accepted."""
    return {name for name, part in round_["per_client"].items() if part["verdict"] == "accepted"}


def wait_for_round_of(api: Api, run_id: str, names: set[str]) -> None:
    """Wait for a new round with the updates of just these, in a run that goes on."""
    before = api.run(run_id)["round"]

    def is_there() -> bool:
        run = api.run(run_id)
        assert run["state"] not in FINAL, run
        new = [] if run["round"] == before else api.rounds(run_id)
        return any(whose(round_) == names for round_ in new if round_["round"] > before)

    wait_until(is_there, f"a round is of {sorted(names)}", 120)


@contextmanager
def paused(api: Api, run_id: str) -> Iterator[None]:
    """Leave the machine, which all sites share here, to what is started meanwhile."""
    api.command(run_id, "pause")
    yield
    api.command(run_id, "resume")


def revoke(office: Office, api: Api, client: Command) -> None:
    """Its client is told, and ends."""
    office.type("python -m app.clients revoke NAME", NAME="b")
    assert client.wait_for_exit(30) == 1
    assert "has revoked the key" in client.output
    assert api.clients()["b"]["membership"] == "revoked"


def readmit_with_another_key(office: Office, api: Api, site: Site) -> Command:
    """After its disk was lost."""
    before = api.clients()[site.name]["key"]
    site.lose_disk()
    office.send(ADDRESS, site)
    refused = site.type(f"{JOIN} --invite-file {ADDRESS}")
    told = refused.wait_for_output(r"can re-admit '\w' with the key (\S+);")[1]
    assert refused.wait_for_exit(60) == 1
    office.type("python -m app.clients readmit NAME --key KEY", NAME=site.name, KEY=told)
    client = site.type(f"{JOIN} --invite-file {ADDRESS}")
    client.wait_for_output(CONNECTED)
    assert before != api.clients()[site.name]["key"]
    return client


def readmit(office: Office, site: Site) -> Command:
    """By nothing but what it remembers."""
    office.type("python -m app.clients readmit NAME", NAME=site.name)
    client = site.type(JOIN)
    client.wait_for_output(CONNECTED)
    return client


def restart_with_renewed_certificate(office: Office) -> None:
    """The one that it has is put back by years, so that it is due."""
    keys = office.home / KEYS
    key = KeyPair.load_or_make(keys / "server.pem")
    old = make_certificate(key, dt.datetime.now(dt.UTC) - dt.timedelta(days=3_400))
    (keys / "server.crt").write_bytes(old)
    office.restart()
    assert reach(parse_address(office.server.link), [key.public.id], 20.0).certificate != old


def restart_with_another_key(office: Office, clients: dict[str, Command]) -> None:
    """All that are connected have heard of it before."""
    office.type("python -m app.next_key")
    for client in clients.values():
        client.wait_for_output("will have another key")
    office.type("python -m app.next_key --switch")
    office.restart()


def anybody_can_check_it(office: Office, site: Site, folder: Path, manual: Manual) -> None:
    """In a folder in which there is nothing but the log, and later what a site has seen of it."""
    folder.mkdir()
    seen = site.home / "witness" / f"{site.name}.json"
    shutil.copy(seen, folder)  # first: the log that is exported has grown from there
    office.type("python -m app.audit export audit.jsonl")
    shutil.move(office.home / "audit.jsonl", folder)
    alone = manual.carry_out("python -m app.audit verify audit.jsonl", folder)
    assert "all hashes and signatures are right" in alone
    assert all(f"{name} has witnessed" in alone for name in SIX)
    with_witness = "python -m app.audit verify audit.jsonl --witness NAME.json"
    assert "All that the given witnesses have seen is in the file." in manual.carry_out(
        with_witness, folder, NAME=site.name
    )
