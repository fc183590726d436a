"""In whatever steps pieces go back, and whatever fails on the way: all of them sum to the whole."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shop.money import exponent
from shop.sharing import divide, slice_of

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


def coins(units: int, currency: str) -> Decimal:
    return Decimal(units).scaleb(-exponent(currency))


@given(
    currency=CURRENCIES,
    units=st.integers(0, 10**8),
    pieces=st.integers(1, 60),
    choices=st.lists(st.tuples(st.integers(1, 60), st.booleans()), max_size=40),
)
def test_any_steps_in_which_pieces_go_back_sum_to_the_whole(
    currency: str, units: int, pieces: int, choices: list[tuple[int, bool]]
) -> None:
    whole = coins(units, currency)
    standing: list[tuple[int, Decimal]] = []

    def give_back(count: int) -> None:
        so_far = sum(quantity for quantity, _amount in standing)
        taken = sum((amount for _quantity, amount in standing), Decimal(0))
        amount = slice_of(whole, count=so_far + count, of=pieces, taken=taken, currency=currency)
        assert 0 <= amount <= whole - taken
        standing.append((count, amount))

    for count, fails in choices:
        if fails and standing:
            standing.pop(count % len(standing))  # A bank gave one of them back.
        left = pieces - sum(quantity for quantity, _amount in standing)
        if left:
            give_back(min(count, left))
    if left := pieces - sum(quantity for quantity, _amount in standing):
        give_back(left)

    assert sum((amount for _quantity, amount in standing), Decimal(0)) == whole


@given(
    currency=CURRENCIES,
    weights=st.dictionaries(st.integers(), st.integers(0, 10**8), min_size=1, max_size=12).filter(
        lambda weights: any(weights.values())
    ),
    share=st.integers(0, 100),
)
def test_an_amount_is_divided_exactly_and_takes_no_more_of_any_than_it_has(
    currency: str, weights: dict[int, int], share: int
) -> None:
    amounts = {key: coins(units, currency) for key, units in weights.items()}
    amount = coins(sum(weights.values()) * share // 100, currency)

    parts = divide(amount, amounts, currency)

    assert sum(parts.values()) == amount
    assert all(0 <= part <= amounts[key] for key, part in parts.items())


def test_what_is_left_over_goes_to_those_who_lost_most() -> None:
    thirds = divide(Decimal("10.00"), dict.fromkeys("abc", Decimal(1)), "EUR")

    assert thirds == {"a": Decimal("3.34"), "b": Decimal("3.33"), "c": Decimal("3.33")}


def test_the_pieces_of_ten_euros_are_rounded_together() -> None:
    taken, slices = Decimal(0), []
    for count in (1, 2, 3):
        slices.append(slice_of(Decimal("10.00"), count=count, of=3, taken=taken, currency="EUR"))
        taken += slices[-1]

    assert slices == [Decimal("3.33"), Decimal("3.34"), Decimal("3.33")]
