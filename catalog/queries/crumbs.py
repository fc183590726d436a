"""The way from the top of the catalogue down to a category."""

from __future__ import annotations

from collections.abc import Iterable

from catalog.queries.links import Crumb, category_url

# Ancestors are found by their paths, each a start of the category's own.
LINE = """ARRAY(
    SELECT ARRAY[above.name, above.path]
    FROM (SELECT string_to_array(category.path, '/') AS slugs) AS way
    CROSS JOIN LATERAL generate_series(1, cardinality(way.slugs)) AS depth
    JOIN catalog_category above ON above.path = array_to_string(way.slugs[1:depth], '/')
    ORDER BY depth
)"""
"""Name and path of the row `category` and of each one above it, the uppermost first."""


def make_crumbs(line: Iterable[tuple[str, str]]) -> list[Crumb]:
    """Build the links of the way from names and paths."""
    return [Crumb(label=name, url=category_url(path)) for name, path in line]
