"""A provider that is away is left alone for a moment, and asked again by one call."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from orders.services import payment
from payments.errors import ProviderRefused, ProviderUnavailable
from payments.gateways import breaker, get_gateway
from payments.gateways.breaker import Breaker, breaker_of, list_states
from payments.simulator.running import Simulator
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import session_of
from tests.payments.paypal import READ, started_order


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guard(clock: Clock) -> Breaker:
    return Breaker("anyone", clock=clock)


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.provider.faults.clear()
    for name in ("stripe", "paypal"):
        breaker_of(name).reset()


def fail(guard: Breaker, *, times: int = 1) -> None:
    for _time in range(times):
        with pytest.raises(ProviderUnavailable, match="away"), guard.watch():
            raise ProviderUnavailable("away")


def succeed(guard: Breaker) -> None:
    with guard.watch():
        pass


def assert_open(guard: Breaker) -> None:
    with pytest.raises(ProviderUnavailable, match="at the moment"), guard.watch():
        raise AssertionError("the call was let through")


def test_five_failures_in_a_row_stop_the_calls_for_half_a_minute(
    guard: Breaker, clock: Clock
) -> None:
    fail(guard, times=4)
    assert guard.state().status == "closed"
    fail(guard)

    assert_open(guard)
    clock.seconds += 29.9
    assert_open(guard)
    assert guard.state().status == "open"
    clock.seconds += 0.1
    succeed(guard)
    assert guard.state() == breaker.BreakerState("anyone", "closed", 0, 1, 0.0)


def test_a_success_between_the_failures_begins_the_count_anew(guard: Breaker) -> None:
    fail(guard, times=4)
    succeed(guard)
    fail(guard, times=4)

    assert guard.state().status == "closed"


def test_failures_that_are_far_apart_are_no_sign(guard: Breaker, clock: Clock) -> None:
    for _time in range(10):
        fail(guard)
        clock.seconds += 16

    assert guard.state().status == "closed"


def test_the_one_call_that_fails_again_stops_the_calls_anew(guard: Breaker, clock: Clock) -> None:
    fail(guard, times=5)
    clock.seconds += 30

    fail(guard)

    assert_open(guard)
    assert (guard.state().times_opened, guard.state().seconds_left) == (2, 30.0)


def test_only_one_call_tries_while_the_others_are_told_at_once(
    guard: Breaker, clock: Clock
) -> None:
    fail(guard, times=5)
    clock.seconds += 30

    with guard.watch():
        assert guard.state().status == "trial"
        assert_open(guard)

    succeed(guard)


def test_a_call_that_never_left_does_not_decide(guard: Breaker, clock: Clock) -> None:
    fail(guard, times=5)
    clock.seconds += 30

    with pytest.raises(ZeroDivisionError), guard.watch():
        raise ZeroDivisionError
    with pytest.raises(ProviderRefused), guard.watch():
        raise ProviderRefused("no", reason="an amount of ours")
    fail(guard)

    assert_open(guard)


def test_a_clear_answer_is_a_sign_of_life_even_if_it_is_no(guard: Breaker) -> None:
    fail(guard, times=4)

    def call_and_be_told_to_wait() -> None:
        with guard.watch() as call:
            call.answered()
            raise ProviderUnavailable("another request holds it")

    with pytest.raises(ProviderUnavailable):
        call_and_be_told_to_wait()

    assert guard.state().failures == 0


def test_failures_of_many_threads_are_all_counted(guard: Breaker) -> None:
    together = threading.Barrier(5)

    def break_once(_number: int) -> str:
        try:
            with guard.watch():
                together.wait(5)
                raise ProviderUnavailable("away")
        except ProviderUnavailable as error:
            return str(error)

    with ThreadPoolExecutor(5) as pool:
        told = list(pool.map(break_once, range(5)))

    assert told == ["away"] * 5
    assert guard.state().status == "open"


@pytest.mark.django_db
def test_paypal_that_fails_five_times_is_not_called_a_sixth_time(simulator: Simulator) -> None:
    order = started_order()
    simulator.add_fault(READ, "error_500_before", times=6)

    for _time in range(6):
        with pytest.raises(ProviderUnavailable):
            payment.check(order)

    [left] = simulator.provider.faults.list_waiting()
    assert (left.kind, left.times) == ("error_500_before", 1)
    assert [each.status for each in list_states() if each.provider == "paypal"] == ["open"]


@pytest.mark.django_db
def test_stripe_that_fails_five_times_is_not_called_a_sixth_time_and_paypal_still_is(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    simulator.add_fault("checkout.sessions.retrieve", "status_429", times=6)

    for _time in range(6):
        with pytest.raises(ProviderUnavailable):
            payment.check(order)

    assert len(simulator.provider.faults.list_waiting()) == 1
    simulator.provider.faults.clear()
    assert get_gateway("paypal").fetch(session_id=session_of(started_order())).status


@pytest.mark.django_db
def test_refusals_and_requests_in_each_others_way_leave_stripe_open_to_others(
    simulator: Simulator,
) -> None:
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    simulator.add_fault("checkout.sessions.retrieve", "status_409", times=6)

    for _time in range(6):
        with pytest.raises(ProviderUnavailable):
            payment.check(order)
    payment.check(order)

    assert simulator.provider.faults.list_waiting() == []
