"""The yardstick of the search: how a ranking is valued, and which slips are made."""

from __future__ import annotations

from pathlib import Path
from random import Random

from bench import relevance
from bench.icecat import Bm25
from tests.shared import shared


def test_a_ranking_is_valued_by_what_people_said_of_its_first_ten() -> None:
    rated = {"a": 3, "b": 1, "c": 0}

    assert relevance.ndcg(["a", "b", "c"], rated) == 1
    assert round(relevance.ndcg(["b", "a"], rated), 4) == 0.7098
    assert relevance.ndcg(["c", "x"], rated) == relevance.ndcg([], rated) == 0
    assert relevance.ndcg([*"0123456789", "a"], rated) == 0


def test_queries_without_a_relevant_product_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "judgements.csv"
    file.write_text("query,docid,rating\nlamp,1,2\nlamp,2,0\nsofa,3,0\n")

    assert relevance.read_judgements(file) == {"lamp": {"1": 2, "2": 0}}


def test_a_slip_is_one_edit_and_never_in_the_first_letter() -> None:
    random = Random(1)

    slips = [relevance.misspell("table", random) for _ in range(300)]

    assert all(slip != "table" and slip[0] == "t" and 4 <= len(slip) <= 6 for slip in slips)
    assert relevance.list_typos("usb to tn-2110", random) == []
    assert len(relevance.list_typos("memory card", random)) == 2


def test_the_plain_bm25_is_the_one_that_the_data_was_described_with() -> None:
    entries = [
        {"id": "1", "title": "Red lamp", "name": "RL-1", "supplier": "Havre"},
        {"id": "2", "title": "Lamp shade", "name": "LS-1", "supplier": "Lamp works"},
        {"id": "3", "title": "Stool", "name": "S", "supplier": "Havre"},
    ]

    assert Bm25(entries).rank("lamps") == ["2", "1"]


def test_the_judgements_of_the_shared_data_can_be_read() -> None:
    judgements = relevance.read_judgements(shared("data/search/icecat-judgements.csv"))

    assert (len(judgements), len(judgements["laptop"])) == (42, 50)


def test_a_difference_that_chance_makes_is_told_from_one_that_it_does_not() -> None:
    assert relevance.count_wins({"a": 0.9, "b": 0.5, "c": 0.1}, {"a": 0.5, "b": 0.5, "c": 0.2}) == 1
    assert relevance.sign_test(5, 5) > 0.5
    assert relevance.sign_test(16, 4) < 0.01
    assert relevance.sign_test(0, 0) == 1
