"""The category tree of a made-up catalogue: one of our own, or one that a file holds."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _

from catalog.models import Category
from shop.errors import ShopError

GZIP = b"\x1f\x8b"
LONGEST_SLUG, LONGEST_NAME, LONGEST_PATH = 60, 120, 600
BUILT_IN = """
Kitchen | Cookware: Saucepans, Frying pans, Casseroles, Woks, Pressure cookers | Baking: Cake tins,
 Mixing bowls, Rolling pins, Baking sheets, Whisks | Knives: Bread knives, Paring knives, Sharpeners,
 Knife blocks | Storage: Jars, Lunch boxes, Bread bins, Bottles | Appliances: Kettles, Toasters,
 Blenders, Scales, Hand mixers
Table | Plates: Dinner plates, Side plates, Soup plates, Platters | Glasses: Wine glasses, Tumblers,
 Carafes, Beer mugs | Cups: Mugs, Espresso cups, Teapots, Saucers | Cutlery: Forks, Spoons, Salad
 servers, Cake forks | Linen: Napkins, Tablecloths, Runners, Placemats
Living | Lighting: Floor lamps, Table lamps, Pendants, Lanterns, Bulbs | Furniture: Armchairs, Side
 tables, Shelves, Stools, Sofas | Textiles: Cushions, Blankets, Rugs, Curtains | Decoration: Vases,
 Candles, Picture frames, Clocks, Mirrors
Bath | Towels: Hand towels, Bath towels, Bathrobes, Bath mats | Care: Soaps, Brushes, Combs, Razors
 | Order: Laundry baskets, Hooks, Soap dishes, Shower shelves | Wellness: Sponges, Bath salts, Hot
 water bottles, Massage balls
Electronics | Computers: Laptops, Monitors, Keyboards, Mice, Docking stations | Sound: Headphones,
 Loudspeakers, Radios, Record players, Microphones | Photography: Cameras, Lenses, Tripods, Flashes,
 Camera bags | Phones: Smartphones, Phone cases, Chargers, Power banks, Cables | Smart home: Sensors,
 Thermostats, Doorbells, Smart plugs
Garden | Tools: Spades, Rakes, Trowels, Secateurs, Watering cans | Pots: Flower pots, Planters,
 Hanging baskets, Saucers | Outdoor furniture: Benches, Hammocks, Parasols, Deckchairs | Grilling:
 Grills, Skewers, Charcoal, Grill tongs | Birds: Bird houses, Feeders, Bird baths
Office | Paper: Notebooks, Envelopes, Sketchbooks, Calendars | Writing: Pens, Pencils, Markers, Inks
 | Desk: Desk lamps, Letter trays, Rulers, Bookends | Filing: Folders, Binders, Archive boxes, Labels
Play | Wooden toys: Building blocks, Trains, Puzzles, Rattles | Games: Board games, Card games, Dice,
 Chess sets | Dolls: Dolls, Teddy bears, Doll houses, Puppets | Outside: Kites, Balls, Scooters,
 Skipping ropes, Sandpits | Craft: Crayons, Beads, Stencils, Modelling clay
"""


class TreeRefused(ShopError):
    """The file holds no category tree that we can read; the text says what is wrong."""


@dataclass(frozen=True, slots=True)
class Node:
    """A category with the names on the way to it, its own last; parents come before children."""

    path: str
    names: tuple[str, ...]
    is_leaf: bool

    @property
    def slug(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def parent(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def root(self) -> str:
        return self.path.partition("/")[0]


def build_tree() -> list[Node]:
    """Build the tree of our own: eight departments, three levels."""
    ways = []
    for text in BUILT_IN.replace("\n ", " ").strip().splitlines():
        root, *groups = [part.strip() for part in text.split("|")]
        for group in groups:
            name, _colon, leaves = group.partition(":")
            ways += [(root, name, leaf.strip()) for leaf in leaves.split(",")]
    return _grow(ways)


def read_tree(path: Path) -> list[Node]:
    """Read a list of `{"name": ..., "path": [{"name": ...}, ...]}` as JSON, gzipped or not.

    Categories without a name are left out with all below them. Raises `TreeRefused`.
    """
    try:
        content = path.read_bytes()
        records = json.loads(gzip.decompress(content) if content[:2] == GZIP else content)
        ways = [tuple(step["name"] for step in record["path"]) for record in records]
    except OSError as error:
        raise TreeRefused(
            _("%(path)s cannot be read: %(why)s") % {"path": path, "why": error.strerror or error}
        ) from error
    except (ValueError, TypeError, KeyError, EOFError) as error:
        raise TreeRefused(
            _(
                "No category tree is in %(path)s. It should be JSON: a list of categories, each "
                'with its way from the root, as {"path": [{"name": "Garden"}, {"name": "Tools"}]}.'
            )
            % {"path": path}
        ) from error
    nodes = _grow(ways)
    if not nodes:
        raise TreeRefused(_("No category with a name is in %(path)s.") % {"path": path})
    return nodes


def plant(nodes: Sequence[Node]) -> dict[str, int]:
    """Write the categories, a level at a time; return their ids by path."""
    ids: dict[str, int] = {}
    for depth in range(1, 1 + max(len(node.names) for node in nodes)):
        level = [node for node in nodes if len(node.names) == depth]
        rows = Category.objects.bulk_create(
            [
                Category(
                    parent_id=ids.get(node.parent),
                    slug=node.slug,
                    path=node.path,
                    name=node.names[-1],
                    position=position,
                )
                for position, node in enumerate(level, start=1)
            ],
            batch_size=1000,
        )
        ids.update({row.path: row.pk for row in rows})
    return ids


def _grow(ways: Iterable[Sequence[Any]]) -> list[Node]:
    """Make a node of every step of every way; names that would get the same address, one."""
    names: dict[str, tuple[str, ...]] = {}
    for way in ways:
        path, above = "", tuple[str, ...]()
        for step in way:
            name = " ".join(str(step or "").split())[:LONGEST_NAME]
            slug = slugify(name)[:LONGEST_SLUG].strip("-")
            if not slug or len(path) + 1 + len(slug) > LONGEST_PATH:
                break
            path = f"{path}/{slug}" if path else slug
            above = names.setdefault(path, (*above, name))
    parents = {path.rpartition("/")[0] for path in names}
    ordered = sorted(names.items(), key=lambda item: len(item[1]))
    return [Node(path, way, is_leaf=path not in parents) for path, way in ordered]


def singular(name: str) -> str:
    """Name one of a category's things: "Bread knives" holds a bread knife."""
    word = name.lower()
    for ending, end in (("knives", "knife"), ("shelves", "shelf"), ("mice", "mouse")):
        if word.endswith(ending):
            return word.removesuffix(ending) + end
    if word.endswith("ies"):
        return word.removesuffix("ies") + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word.removesuffix("es")
    return word.removesuffix("s") if word.endswith("s") and not word.endswith("ss") else word
