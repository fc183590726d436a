"""Fills an empty database with a catalogue of any size, by bulk SQL, the same one every time.

Of five products two have one variant, two come in three colours, and one in three colours and two
sizes; the first one has a hundred variants. Each has three pictures (rows only, no files) and five
attributes, and every piece on a shelf has its line in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from bench.pages import World
from cart import demo as delivery
from catalog.queries import category_url, product_url
from catalog.queries.pagination import PAGE_SIZE
from catalog.services import indexing, summaries
from shop import demo as ground

ROOTS = (
    ("Kitchen", ("Bowl", "Plate", "Mug", "Teapot", "Board", "Knife")),
    ("Table", ("Glass", "Jug", "Napkin", "Candle", "Tray", "Spoon")),
    ("Living", ("Lamp", "Vase", "Cushion", "Mirror", "Clock", "Stool")),
    ("Bath", ("Towel", "Soap", "Basket", "Brush", "Robe", "Mat")),
    ("Bed", ("Blanket", "Pillow", "Sheet", "Quilt", "Throw", "Nightlight")),
    ("Garden", ("Pot", "Trowel", "Lantern", "Bench", "Hammock", "Kneeler")),
    ("Desk", ("Notebook", "Pen", "Folder", "Ruler", "Bookend", "Calendar")),
    ("Play", ("Puzzle", "Kite", "Doll", "Train", "Game", "Rattle")),
)
NOUNS = [noun for _root, nouns in ROOTS for noun in nouns]
LAST_ROOT = len(ROOTS)
ADJECTIVES = (
    "Quiet", "Bright", "Plain", "Tall", "Round", "Slow", "Warm", "Northern", "Sunday", "Little",
    "Broad", "Early", "Open", "Salt", "River", "Harvest", "Folded", "Striped", "Second", "Old",
)  # fmt: skip
MATERIALS = ("Stoneware", "Linen", "Oak", "Glass", "Wool", "Brass", "Cotton", "Walnut", "Enamel")
COLOURS = (
    ("Moss", "#7b7f63"), ("Clay", "#b0704f"), ("Chalk", "#eeeae0"), ("Ink", "#2b2f38"),
    ("Straw", "#d8bf7c"), ("Slate", "#6a7178"), ("Plum", "#6d4457"), ("Sea", "#5d8a8a"),
    ("Rust", "#96492c"), ("Fog", "#c3c5c1"),
)  # fmt: skip
SENTENCES = (
    "Made in small batches by people who use it themselves.",
    "It wears well and looks better after some years.",
    "The edge is left unfinished on purpose, so no two are the same.",
    "It stands firmly, stacks easily and finds its place on any shelf.",
    "Wash it warm, dry it in the air, and it will outlast the house.",
    "The colour comes from the material and does not fade in the sun.",
    "It arrives in paper and cardboard, nothing else.",
    "We mend what breaks; write to us and we will find a way.",
)
ATTRIBUTES = (
    (1, "material", "Material", "text", ""),
    (2, "colour", "Colour", "colour", ""),
    (3, "width", "Width", "number", "cm"),
    (4, "weight", "Weight", "number", "g"),
    (5, "washable", "Dishwasher safe", "boolean", ""),
)
BATCH = 2_000
MOST_VISITED = 2_000

_STATEMENTS = (
    """
    CREATE TEMPORARY TABLE plan AS
    SELECT n, CASE WHEN n = 1 THEN 10 WHEN n %% 5 < 2 THEN 0 ELSE 3 END AS colours,
           CASE WHEN n = 1 THEN 10 WHEN n %% 5 = 4 THEN 2 ELSE 0 END AS sizes,
           1 + n %% cardinality(%(nouns)s::text[]) AS noun,
           1 + n / 7 %% cardinality(%(materials)s::text[]) AS material,
           5 + n::bigint * 37 %% 9500 / 100.0 AS price
    FROM generate_series(1, %(size)s) AS n
    """,
    """
    INSERT INTO accounts_seller
        (id, slug, name, tagline, story, place, country, email, status)
    SELECT n, 'workshop-' || n, 'Workshop ' || n, 'Made by hand', '', 'Berlin', 'DE', '', 'active'
    FROM generate_series(1, %(sellers)s) AS n
    """,
    """
    INSERT INTO catalog_imageasset
        (id, original, width, height, checksum, base, renditions, ready_at, error)
    SELECT n, 'originals/' || left(md5(n::text), 24) || '.jpg', 1600, 2000,
           md5(n::text) || md5('x' || n), 'images/' || left(md5(n::text), 16),
           '{"avif": [320, 480, 640, 960, 1280], "webp": [320, 480, 640, 960, 1280],
             "jpeg": [320, 480, 640, 960, 1280]}', now(), ''
    FROM generate_series(1, %(size)s * 3) AS n
    """,
    """
    INSERT INTO catalog_category
        (id, parent_id, slug, path, name, description, image_id, image_alt, position)
    SELECT n, NULL, lower(name), lower(name), name, 'Things for everyday, made to stay.', n,
           name, n
    FROM unnest(%(roots)s::text[]) WITH ORDINALITY AS root(name, n)
    """,
    """
    INSERT INTO catalog_category
        (id, parent_id, slug, path, name, description, image_id, image_alt, position)
    SELECT %(last_root)s + n, parent.id, lower(noun), parent.path || '/' || lower(noun),
           noun || 's', '', NULL, '', n
    FROM unnest(%(nouns)s::text[]) WITH ORDINALITY AS leaf(noun, n)
    JOIN catalog_category parent ON parent.id = 1 + (n - 1) / %(leaves)s
    """,
    """
    INSERT INTO catalog_product
        (id, seller_id, category_id, tax_class_id, slug, title, short_description, description,
         care, origin, tags, status, updated_at, published_at, is_available, popularity)
    SELECT n, 1 + n %% %(sellers)s, %(last_root)s + plan.noun,
           (SELECT id FROM shop_taxclass WHERE code = 'standard'),
           lower(concat_ws('-', word.adjective, word.material, word.noun, n)),
           concat_ws(' ', word.adjective, lower(word.material), lower(word.noun), n),
           concat_ws(' ', 'A', lower(word.adjective), lower(word.noun), 'of', lower(word.material),
                     'that does one thing well.'),
           (SELECT string_agg('<p>' || (%(sentences)s::text[])[1 + (n + step * 3) %% 8] || ' '
                              || (%(sentences)s::text[])[1 + (n / 8 + step * 5) %% 8] || '</p>', '')
            FROM generate_series(1, 4) AS step),
           'Wipe it with a soft cloth.', 'Germany', ARRAY[lower(word.material), 'handmade'],
           'active', now(),
           timestamptz '2026-03-01 09:00Z' - n::bigint * 7919 %% %(size)s * interval '5 minutes',
           false, n::bigint * 104729 %% 1000
    FROM plan CROSS JOIN LATERAL (
        SELECT (%(adjectives)s::text[])[1 + n / 3 %% 20] AS adjective,
               (%(materials)s::text[])[plan.material] AS material,
               (%(nouns)s::text[])[plan.noun] AS noun
    ) AS word
    """,
    """
    INSERT INTO catalog_productimage (product_id, asset_id, alt, position)
    SELECT n, n * 3 - place, 'Seen from the ' || (ARRAY['side', 'front', 'top'])[1 + place], place
    FROM plan CROSS JOIN generate_series(0, 2) AS place
    """,
    """
    INSERT INTO catalog_option (product_id, name, position)
    SELECT n, 'Colour', 0 FROM plan WHERE colours > 0
    UNION ALL SELECT n, 'Size', 1 FROM plan WHERE sizes > 0
    """,
    """
    INSERT INTO catalog_optionvalue (option_id, label, swatch, position)
    SELECT option.id, (%(colours)s::text[])[colour], (%(swatches)s::text[])[colour], place
    FROM catalog_option option JOIN plan ON plan.n = option.product_id
    CROSS JOIN LATERAL generate_series(1, plan.colours) AS place
    CROSS JOIN LATERAL (SELECT 1 + (plan.n + place) %% 10 AS colour) AS chosen
    WHERE option.position = 0
    UNION ALL
    SELECT option.id, 'Size ' || place, '', place
    FROM catalog_option option JOIN plan ON plan.n = option.product_id
    CROSS JOIN LATERAL generate_series(1, plan.sizes) AS place
    WHERE option.position = 1
    """,
    """
    INSERT INTO catalog_productvariant
        (product_id, sku, barcode, label, price, compare_at_price, weight_grams, image_id,
         is_active, tracks_stock, position)
    SELECT n, concat_ws('-', 'B' || n, nullif(colour, 0), nullif(size, 0)), '',
           concat_ws(' / ', (SELECT label FROM catalog_optionvalue value
                             JOIN catalog_option option ON option.id = value.option_id
                             WHERE option.product_id = n AND option.position = 0
                               AND value.position = colour),
                     'Size ' || nullif(size, 0)),
           plan.price + size, CASE WHEN n %% 9 = 0 THEN round(plan.price * 1.25) + size END,
           200 + n %% 1800, NULL, true, true, colour * 100 + size
    FROM plan
    CROSS JOIN LATERAL generate_series(least(colours, 1), colours) AS colour
    CROSS JOIN LATERAL generate_series(least(sizes, 1), sizes) AS size
    """,
    """
    INSERT INTO catalog_productvariant_option_values (productvariant_id, optionvalue_id)
    SELECT variant.id, value.id
    FROM catalog_productvariant variant
    JOIN catalog_option option ON option.product_id = variant.product_id
    JOIN catalog_optionvalue value ON value.option_id = option.id
     AND value.position = CASE option.position WHEN 0 THEN variant.position / 100
                                               ELSE variant.position %% 100 END
    """,
    """
    INSERT INTO catalog_stocklevel (variant_id, on_hand, allocated)
    SELECT id, CASE WHEN product_id %% 20 = 0 THEN 0 ELSE 100000 END, 0 FROM catalog_productvariant
    """,
    """
    INSERT INTO catalog_stockmovement
        (level_id, kind, on_hand_change, allocated_change, reference, reason)
    SELECT id, 'receipt', on_hand, 0, '', 'first count' FROM catalog_stocklevel WHERE on_hand > 0
    """,
    """
    INSERT INTO catalog_attribute (id, code, name, kind, unit, is_filter, position)
    SELECT id, code, name, kind, unit, true, id
    FROM unnest(%(attribute_ids)s::int[], %(codes)s::text[], %(names)s::text[], %(kinds)s::text[],
                %(units)s::text[]) AS given(id, code, name, kind, unit)
    """,
    """
    INSERT INTO catalog_attributevalue (product_id, attribute_id, text, number, boolean, facet)
    SELECT n, 1, word, NULL::numeric, NULL::boolean, lower(word)
    FROM plan CROSS JOIN LATERAL (SELECT (%(materials)s::text[])[plan.material] AS word) AS chosen
    UNION ALL
    SELECT option.product_id, 2, value.label, NULL, NULL, lower(value.label)
    FROM catalog_optionvalue value JOIN catalog_option option ON option.id = value.option_id
    WHERE option.position = 0
    UNION ALL
    SELECT n, 3, '', 5 + n * 13 %% 40, NULL, (5 + n * 13 %% 40)::text FROM plan
    UNION ALL
    SELECT n, 4, '', 200 + n %% 18 * 100, NULL, (200 + n %% 18 * 100)::text FROM plan
    UNION ALL
    SELECT n, 5, '', NULL, n %% 3 = 0, CASE WHEN n %% 3 = 0 THEN 'yes' ELSE 'no' END FROM plan
    ORDER BY 1, 2
    """,
    "DROP TABLE plan",
)
_WITH_GIVEN_IDS = (
    "accounts_seller",
    "catalog_imageasset",
    "catalog_category",
    "catalog_product",
    "catalog_attribute",
)


def fill(size: int, *, tell: Callable[[str], None] = lambda text: None) -> None:
    """Write the ground and so many products; the database must be migrated and empty."""
    ground.add_tax_rates()
    ground.add_pages()
    delivery.add_delivery()
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in _STATEMENTS:
            cursor.execute(statement, _values(size))
        for table in _WITH_GIVEN_IDS:
            cursor.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
            )
    for start in range(1, size + 1, BATCH):
        ids = range(start, min(start + BATCH, size + 1))
        with transaction.atomic():
            summaries.refresh(ids)
            indexing.reindex(ids)
        tell(f"{ids[-1]:,} of {size:,} products")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def describe(size: int) -> World:
    """Name what there is to visit: an even sample of products, and every root category."""
    step = max(1, size // MOST_VISITED)
    with connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM catalog_product WHERE id %% %s = 0 ORDER BY id", [step])
        products = [product_url(slug) for (slug,) in cursor.fetchall()]
        cursor.execute("SELECT slug FROM catalog_product WHERE id = 1")
        (large,) = cursor.fetchone()
        cursor.execute(
            "SELECT min(variant.id) FROM catalog_productvariant variant "
            "JOIN catalog_stocklevel level ON level.variant_id = variant.id AND level.on_hand > 0 "
            "WHERE variant.product_id %% %s = 0 GROUP BY variant.product_id",
            [step],
        )
        variants = [variant for (variant,) in cursor.fetchall()]
        cursor.execute(
            "SELECT parent.path, count(*) FROM catalog_product product "
            "JOIN catalog_category leaf ON leaf.id = product.category_id "
            "JOIN catalog_category parent ON parent.id = leaf.parent_id GROUP BY parent.path"
        )
        listings = {category_url(path): -(-count // PAGE_SIZE) for path, count in cursor.fetchall()}
    return World(
        size=size,
        products=products,
        large_product=product_url(large),
        listings=listings,
        words=[noun.lower() for noun in NOUNS],
        variants=variants,
    )


def _values(size: int) -> dict[str, Any]:
    ids, codes, names, kinds, units = zip(*ATTRIBUTES, strict=True)
    return {
        "size": size,
        "sellers": min(40, max(8, size // 50)),
        "roots": [root for root, _nouns in ROOTS],
        "last_root": LAST_ROOT,
        "leaves": len(NOUNS) // LAST_ROOT,
        "nouns": NOUNS,
        "adjectives": list(ADJECTIVES),
        "materials": list(MATERIALS),
        "sentences": list(SENTENCES),
        "colours": [name for name, _swatch in COLOURS],
        "swatches": [swatch for _name, swatch in COLOURS],
        "attribute_ids": list(ids),
        "codes": list(codes),
        "names": list(names),
        "kinds": list(kinds),
        "units": list(units),
    }
