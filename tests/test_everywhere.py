"""A call for each pair: results and errors as they come, bounded in workers and memory, ended at once."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from botocore.exceptions import ClientError

from orgmon.aws.everywhere import AHEAD, everywhere
from orgmon.errors import AwsError, OrgmonError
from orgmon.stackset import Pair

REFUSED = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeTrails")


def pairs(number: int) -> list[Pair]:
    """Pairs in as many accounts."""
    return [Pair(f"{account:012}", "us-east-1") for account in range(number)]


class Gate:
    """A call that waits until it is let through, and knows how many wait at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun = 0
        self._lock = threading.Lock()

    def __call__(self, pair: Pair) -> str:
        with self._lock:
            self.begun += 1
        self.open.wait(30)
        return pair.account


class Endless:
    """Pairs without end, and how many of them were read."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Iterator[Pair]:
        for self.read in count(1):
            yield Pair(f"{self.read:012}", "us-east-1")


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition to come true."""
    limit = time.monotonic() + seconds
    while not condition() and time.monotonic() < limit:
        time.sleep(0.001)
    assert condition()


def test_every_pair_gets_what_its_call_returned() -> None:
    asked = pairs(100)
    answers = dict(everywhere(asked, lambda pair: pair.account * 2, workers=7))
    assert answers == {pair: pair.account * 2 for pair in asked}


def test_nothing_is_asked_where_there_are_no_pairs() -> None:
    assert list(everywhere([], lambda pair: pair)) == []


def test_a_pair_that_fails_gets_its_error_with_its_place_and_the_others_go_on() -> None:
    def call(pair: Pair) -> str:
        if pair.account == f"{1:012}":
            raise REFUSED
        return "fine"

    outcomes = dict(everywhere(pairs(3), call))
    error = outcomes.pop(Pair(f"{1:012}", "us-east-1"))
    assert list(outcomes.values()) == ["fine", "fine"]
    assert isinstance(error, AwsError)
    assert (error.operation, error.code) == ("DescribeTrails", "AccessDenied")
    assert (error.account, error.region) == (f"{1:012}", "us-east-1")


def test_an_error_that_a_call_tells_in_full_stays_as_it_is() -> None:
    told = AwsError("sns:ListTopics", "Throttling", "slow", account="123", region="eu-west-1")

    def call(pair: Pair) -> None:
        raise told

    assert [error for _, error in everywhere(pairs(1), call)] == [told]


@pytest.mark.parametrize("error", [OrgmonError("no credentials"), ZeroDivisionError()])
def test_what_is_no_answer_of_aws_ends_everything(error: Exception) -> None:
    def call(pair: Pair) -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        list(everywhere(Endless(), call))
    assert caught.value is error


def test_no_more_calls_at_once_than_workers() -> None:
    gate = Gate()
    results = everywhere(Endless(), gate, workers=4)
    taker = threading.Thread(target=lambda: next(results), daemon=True)
    taker.start()
    until(lambda: gate.begun == 4)
    time.sleep(0.02)
    assert gate.begun == 4
    gate.open.set()
    taker.join(10)
    assert not taker.is_alive()
    results.close()  # type: ignore[attr-defined] # a generator


def test_pairs_are_read_as_results_are_taken() -> None:
    source = Endless()
    results = everywhere(source, lambda pair: None, workers=3)
    for taken in range(1, 50):
        next(results)
        assert source.read <= taken + 3 * AHEAD
    results.close()  # type: ignore[attr-defined] # a generator


def test_progress_counts_answers_and_errors_before_each_result() -> None:
    told: list[tuple[int, int]] = []

    def call(pair: Pair) -> None:
        if pair.account.endswith(("3", "4")):
            raise REFUSED

    results = everywhere(pairs(10), call, progress=lambda answered, failed: told.append((answered, failed)))
    for number, _ in enumerate(results, 1):
        assert len(told) == number
    assert [answered for answered, _ in told] == list(range(1, 11))
    assert told[-1] == (10, 2)


def test_a_caller_that_stops_does_not_wait_for_what_is_under_way() -> None:
    gate = Gate()
    threads = threading.active_count()

    def call(pair: Pair) -> None:
        if pair.account != f"{1:012}":
            gate(pair)

    results = everywhere(Endless(), call, workers=5)
    next(results)
    begun = time.monotonic()
    results.close()  # type: ignore[attr-defined] # a generator
    assert time.monotonic() - begun < 1
    gate.open.set()
    until(lambda: threading.active_count() <= threads)


@pytest.fixture
def heeding() -> Iterator[None]:
    """Ctrl-C is heeded, also where the tests run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeding")
def test_ctrl_c_ends_the_waiting_for_an_answer() -> None:
    gate = Gate()
    main = threading.main_thread().ident
    assert main == threading.get_ident(), "signals reach the main thread only"
    threading.Timer(0.05, lambda: signal.pthread_kill(main, signal.SIGINT)).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(everywhere(Endless(), gate))
    assert time.monotonic() - begun < 5
    gate.open.set()
