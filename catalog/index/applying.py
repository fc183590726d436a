"""The next snapshot after some products changed: what they touch is copied, the rest is shared."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from pyroaring import BitMap

from catalog.index.arrays import Ids, Numbers, Statements
from catalog.index.numbering import Moves, Numbering, changed
from catalog.index.reading import Products, Stated
from catalog.index.snapshot import MAKERS, RATINGS, Keys, Snapshot

CATALOGUE = "catalogue"


@dataclass(frozen=True, slots=True)
class Applied:
    """The next snapshot, and what changed with it: `catalogue`, `category:7`, `shelf:havre`."""

    snapshot: Snapshot
    subjects: frozenset[str]


def apply(
    snapshot: Snapshot, asked: Collection[int], products: Products, stated: Iterable[Stated]
) -> Applied:
    """Take in how the products asked for are now; those not in `products` are not for sale.

    Their makers, their categories and the attributes in `stated` are known to the snapshot.
    """
    ids = np.array(sorted(asked), dtype=np.uint32)
    gone = ids[~np.isin(ids, products.ids)]
    numbering = Numbering(snapshot, asked)
    moves = Moves()
    for product in ids.tolist():
        for number in snapshot.stated.of(product):
            moves.leave(number, product)
    pairs = list(_number(numbering, snapshot, products, stated))
    for product, number in pairs:
        moves.join(number, product)
    values = numbering.apply(moves)
    own, categories, touched = _rehang(snapshot, ids, products)
    shelves = {numbering.facet_of(n) for n in moves if numbering.attribute_of(n) == MAKERS}
    subjects = frozenset(
        {
            CATALOGUE,
            *(f"category:{category_id}" for category_id in touched),
            *(f"shelf:{slug}" for slug in shelves),
        }
    )
    return Applied(
        replace(
            snapshot,
            for_sale=changed(snapshot.for_sale, leave=gone, join=products.ids),
            available=changed(snapshot.available, leave=ids, join=products.ids[products.available]),
            rated={
                stars: changed(
                    snapshot.rated[stars],
                    leave=ids,
                    join=products.ids[products.rating >= stars * 100],
                )
                for stars in RATINGS
            },
            own=own,
            categories=categories,
            values=values,
            facets=numbering.facets,
            attributes_of=numbering.attributes_of,
            keys=_rekey(snapshot.keys, gone, products),
            stated=_restate(snapshot.stated, ids, pairs),
            memory=snapshot.memory.without(subjects),
        ),
        subjects,
    )


def _number(
    numbering: Numbering, snapshot: Snapshot, products: Products, stated: Iterable[Stated]
) -> Iterator[tuple[int, int]]:
    """Pair each product with the numbers of the values it states, its maker among them."""
    shown = set(products.ids.tolist())
    for each in stated:
        number = numbering.find(each.attribute_id, each.facet, each.label)
        for product in each.products.tolist():
            if product in shown:
                yield product, number
    for product, seller in zip(products.ids.tolist(), products.seller.tolist(), strict=True):
        maker = snapshot.makers[seller]
        yield product, numbering.find(MAKERS, maker.slug, maker.name)


def _rehang(
    snapshot: Snapshot, ids: Ids, products: Products
) -> tuple[dict[int, BitMap], dict[int, BitMap], set[int]]:
    """Put products into their categories of now; name all those that have changed."""
    before = dict(zip(ids.tolist(), snapshot.keys.category.take(ids).tolist(), strict=True))
    now = dict(zip(products.ids.tolist(), products.category.tolist(), strict=True))
    own_moves, all_moves = Moves(), Moves()
    touched: set[int] = set()
    for product, old in before.items():
        new = now.get(product, 0)
        if old == new:
            touched.update(snapshot.ways.get(old, ()))
            continue
        if old:
            own_moves.leave(old, product)
        if new:
            own_moves.join(new, product)
        for category_id in snapshot.ways.get(old, ()):
            all_moves.leave(category_id, product)
        for category_id in snapshot.ways.get(new, ()):
            all_moves.join(category_id, product)
    touched.update(all_moves)
    return own_moves.apply(snapshot.own), all_moves.apply(snapshot.categories), touched


def _restate(stated: Statements, ids: Ids, pairs: list[tuple[int, int]]) -> Statements:
    """Replace what products state, where it is something else than before."""
    now: dict[int, set[int]] = {product: set() for product in ids.tolist()}
    for product, number in pairs:
        now[product].add(number)
    others = [product for product, numbers in now.items() if numbers != {*stated.of(product)}]
    if not others:
        return stated
    restated = {*others}
    flat = np.array([pair for pair in pairs if pair[0] in restated], dtype=np.uint32)
    products, numbers = flat.reshape(-1, 2).T
    return stated.put(np.array(others, dtype=np.uint32), products, numbers)


def _rekey(keys: Keys, gone: Ids, products: Products) -> Keys:
    ids = products.ids
    nowhere: Numbers = np.zeros(len(gone), dtype=np.int32)
    return Keys(
        category=keys.category.put(gone, nowhere).put(ids, products.category),
        price=keys.price.put(ids, products.price),
        published=keys.published.put(ids, products.published),
        popularity=keys.popularity.put(ids, products.popularity),
        rated=keys.rated.put(ids, products.rated),
    )
