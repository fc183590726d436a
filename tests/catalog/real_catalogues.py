"""Turns foreign catalogues into the shop's own CSV, a row at a time.

    python -m tests.catalog.real_catalogues icecat > icecat.csv
    python -m tests.catalog.real_catalogues flipkart > flipkart.csv

Nothing is put right on the way: what is odd in them is for the import to judge.
"""

from __future__ import annotations

import csv
import gzip
import io
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from catalog.product_csv import write_list
from tests.shared import shared

COLUMNS = [
    "Handle", "Title", "Category", "Short description", "Description", "Attributes", "Images",
    "SKU", "Price", "Compare-at price", "Barcode",
]  # fmt: skip
MOST_FACTS = 25
SPECIFICATION = re.compile(r'\{"key"=>"(?P<key>[^"]*)", "value"=>"(?P<value>[^"]*)"\}')
Cells = dict[str, str]


def read_icecat(path: Path) -> Iterator[Cells]:
    """19,406 electronics; prices are US cents, brands and part numbers repeat."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            facts = {"Brand": row.get("supplier") or ""}
            for name, value in row.items():
                if name.startswith("attr_") and len(facts) < MOST_FACTS:
                    facts[name[7:].replace("_", " ").capitalize()] = str(value)
            yield {
                "Handle": f"icecat-{row['id']}",
                "Title": row.get("title") or "",
                "Short description": row.get("short_description") or "",
                "Attributes": _write_facts(facts),
                "Images": row.get("img_500x500") or "",
                "SKU": row.get("name") or "",
                "Price": f"{row['price'] / 100:.2f}" if row.get("price") else "",
                "Barcode": next(iter(row.get("ean") or []), ""),
            }


def read_flipkart(path: Path) -> Iterator[Cells]:
    """20,000 products of a marketplace: trees up to eight deep, some without a price."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            steps = row["product_category_tree"].strip('[]"').split(" >> ")
            facts = {"Brand": row["brand"]}
            for found in SPECIFICATION.finditer(row["product_specifications"] or ""):
                if len(facts) < MOST_FACTS:
                    facts.setdefault(found["key"], found["value"])
            yield {
                "Handle": f"{row['product_name'][:80]} {row['uniq_id'][:8]}",
                "Title": row["product_name"],
                "Category": " > ".join(steps[:-1][:6]),
                "Description": row["description"] or "",
                "Attributes": _write_facts(facts),
                "SKU": row["pid"],
                "Price": row["discounted_price"] or row["retail_price"],
                "Compare-at price": row["retail_price"],
            }


def _write_facts(facts: Cells) -> str:
    """Write facts as the shop's CSV does: a name, a colon, one value."""
    return "\n".join(
        f"{write_list([name], signs=':[')}: {write_list([' '.join(value.split())])}"
        for name, value in facts.items()
        if name.strip() and value.strip() and len(value) < 200
    )


def write(rows: Iterable[Cells]) -> bytes:
    buffer = io.StringIO(newline="")
    writer = csv.DictWriter(buffer, COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue().encode()


def read(name: str, *, first: int | None = None) -> Iterator[Cells]:
    reader, path = {
        "icecat": (read_icecat, "data/large/icecat-19k.jsonl.gz"),
        "flipkart": (read_flipkart, "data/large/flipkart-20k.csv.gz"),
    }[name]
    return itertools.islice(reader(shared(path)), first)


if __name__ == "__main__":
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="")
    lines = csv.DictWriter(out, COLUMNS, restval="")
    lines.writeheader()
    lines.writerows(read(sys.argv[1]))
