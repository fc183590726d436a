"""What must hold of the catalogue; see docs/invariants.md."""

from shop.invariants import declare

declare(
    "I13",
    "the movements of a shelf sum to what lies on it and what is promised of it",
    sql="""
    SELECT v.sku || ': on hand ' || s.on_hand || ', moved ' || coalesce(sum(m.on_hand_change), 0)
           || '; allocated ' || s.allocated || ', moved ' || coalesce(sum(m.allocated_change), 0)
    FROM catalog_stocklevel s
    JOIN catalog_productvariant v ON v.id = s.variant_id
    LEFT JOIN catalog_stockmovement m ON m.level_id = s.id
    GROUP BY s.id, v.sku
    HAVING s.on_hand <> coalesce(sum(m.on_hand_change), 0)
        OR s.allocated <> coalesce(sum(m.allocated_change), 0)
    """,
)
declare(
    "C1",
    "a product repeats the prices and availability of its variants",
    sql="""
    SELECT p.slug
    FROM catalog_product p
    LEFT JOIN catalog_productvariant v ON v.product_id = p.id AND v.is_active
    LEFT JOIN catalog_stocklevel s ON s.variant_id = v.id
    GROUP BY p.id
    HAVING (p.price_from, p.price_to, p.compare_at_from, p.is_available)
        IS DISTINCT FROM (
            min(v.price),
            max(v.price),
            (array_agg(v.compare_at_price ORDER BY v.price, v.position, v.id))[1],
            coalesce(bool_or(NOT v.tracks_stock OR s.on_hand > s.allocated), false)
        )
    """,
)
declare(
    "C2",
    "a category's path is its parent's path and its own slug",
    sql="""
    SELECT c.path
    FROM catalog_category c
    LEFT JOIN catalog_category parent ON parent.id = c.parent_id
    WHERE c.path <> concat_ws('/', parent.path, c.slug)
    """,
)
declare(
    "C3",
    "a variant has one value of each option at most, and only of its own product",
    sql="""
    SELECT v.sku
    FROM catalog_productvariant v
    JOIN catalog_productvariant_option_values chosen ON chosen.productvariant_id = v.id
    JOIN catalog_optionvalue value ON value.id = chosen.optionvalue_id
    JOIN catalog_option option ON option.id = value.option_id
    GROUP BY v.id
    HAVING count(*) > count(DISTINCT option.id) OR bool_or(option.product_id <> v.product_id)
    """,
)
declare(
    "C5",
    "a product repeats how its published reviews rate it",
    sql="""
    SELECT p.slug
    FROM catalog_product p
    JOIN catalog_review r ON r.product_id = p.id
    GROUP BY p.id
    HAVING (p.rating, p.rating_count) IS DISTINCT FROM (
        round(avg(r.stars) FILTER (WHERE r.status = 'published'), 2),
        count(*) FILTER (WHERE r.status = 'published')
    )
    """,
)
declare(
    "C6",
    "a review counts as many helpful votes as there are",
    sql="""
    SELECT r.id
    FROM catalog_review r LEFT JOIN catalog_helpfulvote v ON v.review_id = r.id
    GROUP BY r.id HAVING r.helpful_count <> count(v.id)
    """,
)
declare(
    "C4",
    "a picture that is ready has renditions in every format",
    sql="""
    SELECT asset.id
    FROM catalog_imageasset asset
    WHERE asset.ready_at IS NOT NULL
      AND NOT coalesce(
          jsonb_array_length(asset.renditions -> 'avif') > 0
          AND jsonb_array_length(asset.renditions -> 'webp') > 0
          AND jsonb_array_length(asset.renditions -> 'jpeg') > 0,
          false
      )
    """,
)
