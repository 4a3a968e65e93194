"""Those who wait: nobody can fill the list alone, and who does not ask any more is forgotten."""

from __future__ import annotations

from app.enrolment.waiting import (
    CLAIM_FORGOTTEN_AFTER_S,
    FORGOTTEN_AFTER_S,
    MOST,
    MOST_OF_ADDRESS,
    Applicant,
    WaitingList,
)


def somebody(
    number: int, address: str = "192.0.2.1", *, is_claim: bool = False, seen: float = 0.0
) -> Applicant:
    return Applicant(f"client-{number}", f"key {number}", address, is_claim, seen)


def test_so_many_of_an_address_wait_and_no_more() -> None:
    waiting = WaitingList()

    noted = [waiting.note(somebody(number)) for number in range(MOST_OF_ADDRESS + 5)]

    assert noted.count(True) == MOST_OF_ADDRESS
    assert waiting.note(somebody(0, seen=9.0)), "who waits already is not sent away"
    assert waiting.note(somebody(99, "192.0.2.2")), "those of other addresses have room"


def test_so_many_wait_in_all_and_no_more() -> None:
    waiting = WaitingList()

    noted = [waiting.note(somebody(number, f"192.0.2.{number}")) for number in range(MOST + 20)]

    assert noted.count(True) == MOST
    assert len(waiting.names()) == MOST


def test_who_does_not_ask_any_more_makes_room() -> None:
    waiting = WaitingList()
    for number in range(MOST_OF_ADDRESS):
        waiting.note(somebody(number, seen=float(number)))

    gone = waiting.expire(FORGOTTEN_AFTER_S + 2.5)

    assert gone == {"client-0", "client-1", "client-2"}
    assert waiting.note(somebody(77))


def test_a_claim_to_a_name_stays_for_longer_since_its_client_asks_once() -> None:
    waiting = WaitingList()
    waiting.note(somebody(1, is_claim=True))

    assert waiting.expire(FORGOTTEN_AFTER_S + 1) == set()
    assert waiting.expire(CLAIM_FORGOTTEN_AFTER_S + 1) == {"client-1"}


def test_several_keys_can_ask_for_a_name_and_stand_in_the_order_in_which_they_came() -> None:
    waiting = WaitingList()
    for key in ("first", "second", "third"):
        waiting.note(Applicant("hospital", key, "192.0.2.1", False, 0.0))

    waiting.note(Applicant("hospital", "first", "192.0.2.1", False, 5.0))
    waiting.remove("hospital", "second")

    assert waiting.keys("hospital") == ("first", "third")
