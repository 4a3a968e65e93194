"""What is news of a site that declines, whatever a client calls its rules."""

from __future__ import annotations

from app.federation.link import declines
from app.federation.link.declines import MOST_RULES, Declines


def test_a_rule_is_news_once_in_each_run() -> None:
    said = Declines()

    assert said.is_news("a", 1, "confirm")
    assert not said.is_news("a", 1, "confirm")
    assert said.is_news("a", 1, "models")
    assert said.is_news("b", 1, "confirm")
    assert said.is_news("a", 2, "confirm")


def test_a_client_that_makes_up_rules_is_news_so_often_and_no_more() -> None:
    said = Declines()

    news = [said.is_news("a", 1, f"rule {number}") for number in range(10 * MOST_RULES)]

    assert sum(news) == MOST_RULES


def test_it_does_not_remember_more_clients_than_it_may() -> None:
    said = Declines()
    for number in range(declines.MOST_CLIENTS + 50):
        said.is_news(f"client-{number}", 1, "confirm")

    assert len(said._said) == declines.MOST_CLIENTS
    assert not said.is_news(f"client-{declines.MOST_CLIENTS}", 1, "confirm")
    assert said.is_news("client-0", 1, "confirm"), "the oldest is forgotten"
