"""Search: from what somebody typed to the products that answer it.

All words first. A word that no product has may be the start of one, two written as one, a part
number without its dashes, or a slip: then what was meant is looked for at once. When few products
have all words, those that have most of them come close. What stands in quotation marks is taken as
it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db import connection
from pyroaring import BitMap

from catalog.search.hits import Hits, Slot, find_all, find_most, make_slot
from catalog.search.postings import get_postings
from catalog.search.question import OTHERWISE_WRITTEN, Question, Way, list_ways
from catalog.search.stems import to_keys, to_plain_key, to_prefix_key
from catalog.search.synonyms import get_synonyms
from catalog.search.text import is_number, join_neighbours, split_at_digits, to_form
from catalog.search.vocabulary import Vocabulary, get_vocabulary

FEW = 10
"""With fewer products than this, those that come close are worth a look."""
HARDLY_ANY = 3
"""With no more products than this, another spelling is worth a question."""
MOST_COMPLETIONS = 8
MOST_TRIED = 5
BEGUN = 0.8
SHORTEST_BEGINNING = 2

_WITH_CODE = """
SELECT DISTINCT product_id FROM catalog_productvariant
WHERE is_active AND (lower(regexp_replace(sku, '[^[:alnum:]]+', '', 'g')) = %(code)s
                     OR ltrim(barcode, '0') = %(number)s AND barcode <> '')
"""


def find(question: Question, *, within: BitMap, is_begun: bool = False) -> Hits:
    """Find products among those `within`; of a query that is still being typed the last word may
    go on."""
    pinned = _find_code(question.code, within)
    stems = to_keys(question.words)
    ways = list_ways(question, tuple(stems[word] for word in question.words), get_synonyms())
    if is_begun and question.words:
        ways += _complete(question, get_vocabulary())
    slots = _look(question, ways, within)
    unknown = [place for place, slot in slots.items() if not len(slot.products)]
    if unknown and not question.is_literal and not pinned:
        if more := _guess(question, unknown, get_vocabulary()):
            slots = _look(question, [*ways, *more], within)
        unknown = [place for place in unknown if not len(slots[place].products)]
        if unknown and (corrected := _correct(question, unknown, slots, within)):
            hits = find(corrected, within=within)
            return replace(hits, looked_for=" ".join(corrected.words), question="")
    return _answer(question, list(slots.values()), pinned, within)


def _answer(
    question: Question, slots: Sequence[Slot], pinned: Sequence[int], within: BitMap
) -> Hits:
    products = find_all(slots) | BitMap(pinned)
    nearby = BitMap()
    is_partial = False
    if len(products) < FEW and len(slots) > 1 and not question.is_literal:
        nearby = find_most(slots) - products
        if not products:
            is_partial = bool(nearby)
            products, nearby = nearby, BitMap()
    return Hits(
        products,
        nearby,
        slots=slots,
        pinned=pinned,
        is_partial=is_partial,
        question=_doubt(question, slots, products, within),
    )


def _look(question: Question, ways: Sequence[Way], within: BitMap) -> dict[int, Slot]:
    """Return a slot for each word that says something, by its place."""
    keys = {
        phrase: to_prefix_key(phrase[:-1].split()) if phrase.endswith("*") else ""
        for phrase in dict.fromkeys(way.phrase for way in ways)
    }
    keys |= to_keys(phrase for phrase, key in keys.items() if not key)
    forms = {
        place: to_plain_key(form)
        for place, word in enumerate(question.words)
        if (form := to_form(word))
    }
    postings = get_postings([*(key for key in keys.values() if key), *forms.values()])
    telling = [place for place, word in enumerate(question.words) if keys[word]]
    return {
        place: make_slot(
            [
                (postings[keys[way.phrase]], way.strength)
                for way in ways
                if way.first <= place < way.last and keys[way.phrase]
            ],
            within=within,
            form=postings[forms[place]] if place in forms else None,
        )
        for place in telling
    }


def _guess(question: Question, places: Sequence[int], vocabulary: Vocabulary) -> list[Way]:
    """Say what words that no product has may be part of, or made of."""
    words = question.words
    guesses = []
    for place in places:
        word = words[place]
        ways = vocabulary.split(word)
        if apart := split_at_digits(word):
            ways += [apart, f"{apart}*"]
        if is_number(word):
            ways.append(f"{word}*")
        guesses += [Way(phrase, place, place + 1, OTHERWISE_WRITTEN) for phrase in ways]
    for place, joined in enumerate(join_neighbours(list(words))):
        if is_number(joined) and {place, place + 1} & {*places}:
            guesses.append(Way(f"{joined}*", place, place + 2, OTHERWISE_WRITTEN))
    if len(words) - 1 in places:
        guesses += _complete(question, vocabulary)
    if question.code:
        guesses.append(Way(f"{question.code}*", 0, len(words), OTHERWISE_WRITTEN))
    return guesses


def _complete(question: Question, vocabulary: Vocabulary) -> list[Way]:
    place = len(question.words) - 1
    word = question.words[place]
    if len(word) < SHORTEST_BEGINNING:
        return []
    return [
        Way(phrase, place, place + 1, BEGUN)
        for phrase in vocabulary.completions(word, most=MOST_COMPLETIONS)
    ]


def _correct(
    question: Question, places: Sequence[int], slots: Mapping[int, Slot], within: BitMap
) -> Question | None:
    """Put a word of the catalogue in each place; one that goes with the others is preferred."""
    vocabulary = get_vocabulary()
    others = find_all([slot for place, slot in slots.items() if place not in places])
    changes: dict[int, str] = {}
    for place in places:
        candidates = vocabulary.closest(question.words[place], most=MOST_TRIED)
        if chosen := _choose(candidates, others, within):
            changes[place] = chosen
    return question.with_words(changes) if changes else None


def _choose(candidates: Sequence[str], others: BitMap, within: BitMap) -> str:
    """Return the word that most products have together with the others, else the first one sold."""
    keys = to_keys(candidates)
    postings = get_postings(key for key in keys.values() if key)
    sold = [
        word
        for word in candidates
        if keys[word] and postings[keys[word]].products.intersect(within)
    ]
    return max(
        sold,
        key=lambda word: postings[keys[word]].products.intersection_cardinality(others),
        default="",
    )


def _doubt(question: Question, slots: Sequence[Slot], products: BitMap, within: BitMap) -> str:
    """Return another spelling when what was typed finds next to nothing and that finds more."""
    if question.is_literal or len(products) > HARDLY_ANY or len(slots) != len(question.words):
        return ""
    vocabulary = get_vocabulary()
    changes = {}
    for place, slot in enumerate(slots):
        if len(slot.products) <= HARDLY_ANY:
            better = _choose(vocabulary.closest(question.words[place], most=1), BitMap(), within)
            if better and vocabulary.is_commoner(better, question.words[place]):
                changes[place] = better
    return " ".join(question.with_words(changes).words) if changes else ""


def _find_code(code: str, within: BitMap) -> list[int]:
    """Return the products with exactly this SKU or barcode."""
    if not code:
        return []
    number = code.lstrip("0") if code.isdigit() else ""
    with connection.cursor() as cursor:
        cursor.execute(_WITH_CODE, {"code": code, "number": number or "-"})
        return [id for (id,) in sorted(cursor.fetchall()) if id in within]
