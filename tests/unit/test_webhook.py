"""The webhook, its outbox and its secret, with a real receiver that is slow, fails or is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.event_bus import EventBus
from app.notices.address import WebhookSettings, webhook_url
from app.notices.outbox import GIVEN_UP_AFTER_S, MOST, Outbox
from app.notices.signing import load_or_make_secret, signed_headers
from app.notices.webhook import Webhook
from app.records import RunState
from app.records.notices import Notice, NoticeKind
from app.store.store import Store
from app.store.urls import default_url
from shared.errors import SettingsInvalid, StoreUnavailable
from tests.support.documents import blocks
from tests.support.receiver import Receiver, is_genuine, receiving
from tests.support.records import a_run
from tests.support.waiting import wait_until


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(default_url(tmp_path / "home")) as store:
        yield store


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


Start = Callable[[str], Webhook]


@pytest.fixture
def start(store: Store, bus: EventBus, tmp_path: Path) -> Iterator[Start]:
    """Starts a webhook, which is stopped in the end."""
    started: list[Webhook] = []

    def start(url: str) -> Webhook:
        settings = WebhookSettings(url, tmp_path / "secret", waiting_s=300)
        webhook = Webhook(settings, "AAAA", bus, store.notices, lambda: ((), ()))
        started.append(webhook)
        webhook.start()
        return webhook

    yield start
    for webhook in started:
        with suppress(RuntimeError):
            webhook.stop()


def a_notice(number: int = 1, at: float | None = None) -> Notice:
    return Notice(
        id=f"n{number}",
        event=NoticeKind.TEST,
        time=time.time() if at is None else at,
        text="test",
        server="AAAA",
    )


def test_what_is_sent_is_signed_and_arrives_once(
    start: Start, bus: EventBus, store: Store, receiver: Receiver, tmp_path: Path
) -> None:
    webhook = start(receiver.url)

    bus.publish(a_run(state=RunState.COMPLETED, round=3))

    wait_until(lambda: webhook.status().delivered == 1, "the notice has arrived")
    [(headers, body)] = receiver.requests
    assert is_genuine(tmp_path / "secret", headers, body)
    assert not is_genuine(tmp_path / "secret", headers, body.replace(b"7f3a", b"8f3a"))
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    [notice] = receiver.notices
    assert (notice["event"], notice["id"]) == ("run.completed", headers["webhook-id"])
    wait_until(lambda: not store.notices.all(), "the outbox is empty")
    assert webhook.status().problem is None


def test_a_receiver_that_fails_is_tried_again_under_the_same_id(
    start: Start, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.status = 503
    webhook = start(receiver.url)
    webhook.test()
    wait_until(lambda: webhook.status().problem, "the failure is seen")
    assert webhook.status().problem == "it answered 503"

    receiver.status = 200

    wait_until(lambda: webhook.status().delivered == 1, "it has arrived")
    assert len({notice["id"] for notice in receiver.notices}) == 1
    assert webhook.status().problem is None
    said = [record.getMessage() for record in caplog.records if record.name == "app.notices.webhook"]
    assert sum("was not reached" in line for line in said) == 1
    assert "hidden" not in "".join(said)


def test_redirects_are_not_followed(start: Start, receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.status, receiver.location = 307, elsewhere.url
        webhook = start(receiver.url)

        webhook.test()

        wait_until(lambda: webhook.status().problem, "the failure is seen")
        assert webhook.status().problem == "it answered 307; redirects are not followed"
        assert elsewhere.requests == []


def test_a_slow_receiver_holds_up_nobody_who_publishes(
    start: Start, bus: EventBus, receiver: Receiver
) -> None:
    receiver.open.clear()
    webhook = start(receiver.url)
    for number in range(20):
        bus.publish(a_run(f"run-{number}", state=RunState.FAILED))

    wait_until(lambda: webhook.status().waiting == 20, "all wait")
    assert webhook.status().delivered == 0
    receiver.open.set()
    wait_until(lambda: webhook.status().delivered == 20, "all have arrived")
    assert len({notice["id"] for notice in receiver.notices}) == len(receiver.notices) == 20


def test_what_did_not_arrive_is_sent_after_the_next_start(start: Start, store: Store) -> None:
    with receiving() as gone:
        url = gone.url
    webhook = start(url)
    webhook.test()
    wait_until(lambda: webhook.status().problem, "the failure is seen")
    webhook.stop()
    [kept] = store.notices.all()

    with receiving() as back:
        again = start(back.url)
        wait_until(lambda: again.status().delivered == 1, "it has arrived")
        assert [notice["id"] for notice in back.notices] == [kept.id]


def test_notices_outlast_the_server_until_they_are_forgotten(store_url: str) -> None:
    with Store.open(store_url) as store:
        for number in (2, 1, 3):
            store.notices.keep(a_notice(number, at=float(number)))
        store.notices.forget(["n2", "unknown"])

    with Store.open(store_url) as store:
        assert store.notices.all() == [a_notice(1, at=1.0), a_notice(3, at=3.0)]


def test_a_full_outbox_loses_the_oldest_and_says_so(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    outbox = Outbox(store.notices)

    for number in range(MOST + 2):
        outbox.add(a_notice(number, at=float(number)), now=0.0)

    assert (len(outbox), outbox.lost) == (MOST, 2)
    assert store.notices.all()[0].id == "n2"
    assert "more than 1,000 wait" in caplog.text


def test_a_notice_waits_longer_after_each_failure_and_is_given_up_after_three_days(store: Store) -> None:
    outbox = Outbox(store.notices)
    notice = a_notice(at=0.0)
    outbox.add(notice, now=0.0)
    for at, due in ((0.0, 1.0), (1.0, 3.0), (3.0, 7.0)):
        outbox.failed(notice, at)
        moments = iter([due - 0.01, due - 0.01, due])
        assert outbox.next_due(partial(next, moments), lambda: False) == notice

    outbox.failed(notice, GIVEN_UP_AFTER_S + 1)

    assert (len(outbox), outbox.lost, store.notices.all()) == (0, 1, [])


def test_a_store_that_fails_keeps_no_notice_from_being_sent(caplog: pytest.LogCaptureFixture) -> None:
    class Failing:
        def keep(self, notice: Notice) -> None:
            raise StoreUnavailable("the disk is full")

        def forget(self, notice_ids: object) -> None:
            raise StoreUnavailable("the disk is full")

        def all(self) -> list[Notice]:
            return []

    outbox = Outbox(Failing())
    notice = a_notice()
    outbox.add(notice, now=0.0)

    assert outbox.next_due(time.time, lambda: False) == notice
    outbox.arrived(notice)
    assert len(outbox) == 0
    assert "is lost if the server ends" in caplog.text


def test_the_signature_is_that_of_the_specification(tmp_path: Path) -> None:
    # Standard Webhooks' own example, with which its libraries are tested
    file = tmp_path / "secret"
    file.write_text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    file.chmod(0o600)
    secret, _ = load_or_make_secret(file)

    headers = signed_headers(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_check_in_the_documentation_knows_what_is_genuine(tmp_path: Path) -> None:
    [check] = blocks("docs/notifications.md", "python")
    names: dict[str, Any] = {}
    exec(check, names)
    file = tmp_path / "secret"
    secret, _ = load_or_make_secret(file)
    headers = dict(signed_headers(secret, "n1", 1_614_265_330, b"{}"))

    assert names["is_genuine"](file.read_text().strip(), headers, b"{}")
    assert not names["is_genuine"](file.read_text().strip(), headers, b"[]")


def test_the_secret_is_made_once_for_its_user_alone(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "secret"

    secret, is_new = load_or_make_secret(file)

    assert (len(secret), is_new) == (32, True)
    assert file.stat().st_mode & 0o077 == 0
    assert load_or_make_secret(file) == (secret, False)


@pytest.mark.parametrize("content", ["", "secret", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "ünïcode"])
def test_a_file_that_is_no_secret_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    file.chmod(0o600)

    with pytest.raises(SettingsInvalid, match="is no secret of a webhook"):
        load_or_make_secret(file)
    assert file.read_text() == content


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    load_or_make_secret(file)
    file.chmod(0o644)

    with pytest.raises(SettingsInvalid, match="by other users"):
        load_or_make_secret(file)


@pytest.mark.parametrize("url", ["ftp://a", "a.example", "https://", "http://[::1", "http://a:99999/", ""])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="begins with https://"):
        webhook_url(url)


def test_a_password_in_the_address_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="name or password"):
        webhook_url("https://user:secret@a.example/hook")
