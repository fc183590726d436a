"""Whether two samples of times can be told apart."""

from __future__ import annotations

from random import Random

from bench.enumeration import compare, table


def sample(middle: float, *, seed: int, count: int = 200) -> list[float]:
    random = Random(seed)
    return [random.gauss(middle, 15) for _ in range(count)]


def test_the_same_time_with_much_noise_does_not_tell() -> None:
    found = compare(sample(100, seed=1), sample(100, seed=2))

    assert not found.is_told_apart
    assert 0.9 < found.ratio < 1.1
    assert 0.4 < found.known_is_slower < 0.6
    assert "does not tell" in table({"sign in": found})


def test_a_hash_that_one_of_them_is_spared_tells() -> None:
    found = compare(sample(150, seed=1), sample(100, seed=2))

    assert found.is_told_apart
    assert found.known_is_slower > 0.9
    assert "TELLS" in table({"sign in": found})


def test_so_few_samples_that_nothing_is_known_count_as_told_apart() -> None:
    wide = [20.0, 180.0, 90.0, 10.0, 150.0]

    assert compare(wide, wide[::-1]).is_told_apart
