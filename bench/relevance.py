"""How good the search is: nDCG@10 on people's judgements, beside a plain BM25, and with typos.

    python -m bench.relevance JUDGEMENTS.csv

The file has the columns query, docid, rating (0 to 3). The products are those of the shared data
(EMPORIUM_SHARED), in a database of their own that is deleted at the end; what searches is what the
search page searches with. Gain is 2^rating - 1, discount log2, a product without a rating counts 0,
and queries for which no product is relevant are left out.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import comb, log2
from pathlib import Path
from random import Random

from bench import icecat, server
from config.postgres import DatabaseNotStarted
from config.run import ROOT

DEPTH = 10
VISIBLE = 0.001
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SHORTEST_MISSPELT = 4
SEED = 4

Judgements = Mapping[str, Mapping[str, int]]
Ranking = Callable[[str], Sequence[str]]


def main() -> int:
    options = read_options()
    judgements = read_judgements(options.judgements)
    records = icecat.read(options.products)
    try:
        with shop(records) as search:
            report(judgements, search, icecat.Bm25(records).rank, each=options.each)
            report_typos(judgements, search)
    except (server.NotStarted, DatabaseNotStarted) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def read_options() -> argparse.Namespace:
    shared = Path(os.environ.get("EMPORIUM_SHARED", "../shared"))
    parser = argparse.ArgumentParser(
        prog="python -m bench.relevance",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("judgements", type=Path, help="CSV with query, docid, rating")
    parser.add_argument(
        "--products",
        type=Path,
        default=(shared if shared.is_absolute() else ROOT / shared)
        / "data/large/icecat-19k.jsonl.gz",
        help="%(default)s",
    )
    parser.add_argument("--each", action="store_true", help="also print each query")
    return parser.parse_args()


def read_judgements(path: Path) -> Judgements:
    """Read the ratings of the queries that have a relevant product."""
    ratings: dict[str, dict[str, int]] = defaultdict(dict)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            ratings[row["query"]][row["docid"]] = int(row["rating"])
    return {query: rated for query, rated in ratings.items() if any(rated.values())}


@contextmanager
def shop(records: Sequence[icecat.Entry]) -> Iterator[Ranking]:
    """Fill a shop with the products, and yield what its search page finds first, as their ids."""
    with server.database() as cluster:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="config.settings",
            DATABASE_URL=cluster.url(),
            EMPORIUM_MODE="trial",
            SHOP_LANGUAGE="en",
            LOG_LEVEL="ERROR",
        )
        began = time.monotonic()
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", interactive=False, verbosity=0)
        names = icecat.load(records)
        print(f"{len(records):,} products in {time.monotonic() - began:.0f} s", flush=True)

        from django.db import connection

        from catalog.queries.search import list_best

        try:
            yield lambda query: [names[id] for id in list_best(query, DEPTH)]
        finally:
            connection.close()


def ndcg(ranking: Sequence[str], rated: Mapping[str, int]) -> float:
    """Return the quality of a ranking, from 0 to 1, the best that the ratings allow."""
    best = sorted(rated.values(), reverse=True)[:DEPTH]
    return _gain([rated.get(id, 0) for id in ranking[:DEPTH]]) / _gain(best)


def _gain(ratings: Sequence[int]) -> float:
    return sum((2**rating - 1) / log2(place + 2) for place, rating in enumerate(ratings))


def report(judgements: Judgements, search: Ranking, bm25: Ranking, *, each: bool) -> None:
    ours = {query: ndcg(search(query), rated) for query, rated in judgements.items()}
    began = time.monotonic()
    for query in judgements:
        search(query)
    took = (time.monotonic() - began) / len(judgements)
    plain = {query: ndcg(bm25(query), rated) for query, rated in judgements.items()}
    if each:
        for query in judgements:
            print(f"  {ours[query]:.3f}  {plain[query]:.3f}  {query}")
    print(f"{len(judgements)} queries, {took * 1000:.1f} ms each once their words were read")
    print(f"nDCG@{DEPTH}  search {_mean(ours):.3f}  plain BM25 {_mean(plain):.3f}")
    better, worse = count_wins(ours, plain), count_wins(plain, ours)
    chance = sign_test(better, worse)
    print(f"better on {better} queries, worse on {worse}; by mere chance: {chance:.1%}")


def count_wins(ours: Mapping[str, float], theirs: Mapping[str, float]) -> int:
    return sum(ours[query] > theirs[query] + VISIBLE for query in ours)


def sign_test(better: int, worse: int) -> float:
    """Return how likely it is that equals differ so often or more to one side (one-sided)."""
    told = better + worse
    return sum(comb(told, wins) for wins in range(better, told + 1)) / 2**told


def report_typos(judgements: Judgements, search: Ranking) -> None:
    """Misspell one word of each query at a time, and compare what is found with what was found."""
    random = Random(SEED)
    right: dict[str, float] = {}
    wrong: dict[str, float] = {}
    kept: dict[str, float] = {}
    for query, rated in judgements.items():
        for typo in list_typos(query, random):
            before, after = search(query), search(typo)
            right[typo], wrong[typo] = ndcg(before, rated), ndcg(after, rated)
            kept[typo] = len(set(before) & set(after)) / max(1, len(before))
    if not wrong:
        return
    print(
        f"{len(wrong)} misspellings, one edit in one word: nDCG@{DEPTH} {_mean(wrong):.3f} of "
        f"{_mean(right):.3f} ({_mean(wrong) / (_mean(right) or 1):.0%} kept); of the first "
        f"{DEPTH} products {_mean(kept):.0%} are the same"
    )


def list_typos(query: str, random: Random) -> list[str]:
    """Misspell each word of enough letters: one left out, doubled, swapped or replaced."""
    words = query.split()
    return [
        " ".join([*words[:place], misspell(word, random), *words[place + 1 :]])
        for place, word in enumerate(words)
        if word.isalpha() and len(word) >= SHORTEST_MISSPELT
    ]


def misspell(word: str, random: Random) -> str:
    """Make one slip of the finger, not in the first letter, after which the word is another."""
    while True:
        at = random.randrange(1, len(word))
        slip = random.choice(
            [
                word[:at] + word[at + 1 :],
                word[:at] + random.choice(LETTERS) + word[at:],
                word[:at] + random.choice(LETTERS) + word[at + 1 :],
                word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :] if at > 1 else word,
            ]
        )
        if slip != word:
            return slip


def _mean(values: Mapping[str, float]) -> float:
    return sum(values.values()) / len(values)


if __name__ == "__main__":
    sys.exit(main())
