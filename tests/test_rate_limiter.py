"""How fast calls are made: evenly spaced, slower when AWS throttles, faster again when it does not."""

from __future__ import annotations

import pytest

from orgmon.aws.rate import SLOWEST, RateLimiter

THROTTLED = (object(), {"Error": {"Code": "Throttling", "Message": "Rate exceeded"}})
DENIED = (object(), {"Error": {"Code": "AccessDenied"}})
GOOD: tuple[object, dict[str, object]] = (object(), {"Summaries": []})


class Watch:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        """The time in seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.now += seconds


@pytest.fixture
def watch() -> Watch:
    """A clock at rest."""
    return Watch()


@pytest.fixture
def limiter(watch: Watch) -> RateLimiter:
    """Ten calls a second."""
    return RateLimiter(10, watch.time, watch.sleep)


def seconds_for(calls: int, limiter: RateLimiter, watch: Watch) -> float:
    """How long some calls take from now on, after one call."""
    limiter.wait()
    begun = watch.now
    for _ in range(calls):
        limiter.wait()
    return watch.now - begun


def test_the_first_call_does_not_wait(limiter: RateLimiter, watch: Watch) -> None:
    limiter.wait()
    assert watch.now == 100.0


def test_calls_are_spaced_evenly(limiter: RateLimiter, watch: Watch) -> None:
    assert seconds_for(20, limiter, watch) == pytest.approx(2.0)


def test_a_pause_is_not_saved_up(limiter: RateLimiter, watch: Watch) -> None:
    limiter.wait()
    watch.now += 60
    assert seconds_for(10, limiter, watch) == pytest.approx(1.0)


def test_a_throttled_answer_halves_the_rate(limiter: RateLimiter, watch: Watch) -> None:
    limiter.learn(THROTTLED)
    assert seconds_for(10, limiter, watch) == pytest.approx(2.0)


def test_it_never_becomes_slower_than_the_slowest(limiter: RateLimiter, watch: Watch) -> None:
    for _ in range(50):
        limiter.learn(THROTTLED)
    assert seconds_for(10, limiter, watch) == pytest.approx(10 / SLOWEST)


def test_good_answers_bring_the_rate_back_and_no_further(limiter: RateLimiter, watch: Watch) -> None:
    limiter.learn(THROTTLED)
    for _ in range(200):
        limiter.learn(GOOD)
    assert seconds_for(10, limiter, watch) == pytest.approx(1.0)


@pytest.mark.parametrize("answer", [DENIED, None])
def test_other_errors_and_no_answer_are_not_throttling(
    limiter: RateLimiter, watch: Watch, answer: tuple[object, dict[str, object]] | None
) -> None:
    limiter.learn(answer)
    assert seconds_for(10, limiter, watch) == pytest.approx(1.0)
