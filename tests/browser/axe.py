"""axe-core in the page: what would keep somebody from reading or using it."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path
from typing import Any

import axe_playwright_python
from PIL import Image
from playwright.sync_api import Page

from tests.browser.test_design import contrast

SOURCE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text("utf-8")
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

LEFT_OUT = {
    "hidden-content": "finds nothing, it only asks to look at what is hidden; the scenes open it",
    "css-orientation-lock": "reads all style sheets again on each page; a test of its own is faster",
}
FOR_MAILS = {
    "landmark-one-main": "a mail is shown inside the page of a mail program, which has its own",
    "region": "the same",
    "p-as-heading": "a code in large figures is no heading",
}
CONTRAST, CONTRAST_OF_LARGE = 7.0, 4.5
"""What WCAG calls AAA; the rule itself would be content with AA."""
MEASURED, MEASURED_OF_LARGE = 4.5, 3.0
"""Words on photographs are held to AA."""

UNDECIDED = {
    ("frame-tested", "iframe.mail__html"): "no script runs in it; the mails are scenes of their own"
}
"""What axe cannot decide, by rule and selector, and how we know. Contrast is measured instead."""

RUN = """async ({ tags, leftOut, contrastRatio, undecided, layer }) => {
  axe.configure({ checks: [{ id: "color-contrast", options: { contrastRatio } }] });
  const values = axe.getRules(tags).filter((rule) => !rule.tags.includes("deprecated"))
    .map((rule) => rule.ruleId).filter((name) => !leftOut.includes(name));
  const { violations, incomplete } = await axe.run(document, {
    runOnly: { type: "rule", values }, resultTypes: ["violations", "incomplete"],
    elementRef: true, iframes: false, preload: false,
  });
  const tell = (rule, node) => `${rule.id}: ${node.html.slice(0, 200)} ${node.failureSummary}`;
  const open = incomplete.flatMap((rule) => rule.nodes
    .filter(({ element }) => !undecided.some(([name, selector]) =>
      name === rule.id && element.matches(selector)))
    .map((node) => ({ rule: rule.id, text: tell(rule, node), element: node.element })));
  window.faint = open.filter(({ rule, element }) =>
    rule === "color-contrast" && (!layer || element.closest(layer)));
  return {
    found: violations.flatMap((rule) => rule.nodes.map((node) => tell(rule, node))),
    undecided: open.filter(({ rule }) => rule !== "color-contrast").map(({ text }) => text),
    faint: faint.map(({ text }) => text),
  };
}"""

HIDE_WORDS = """(place) => {
  const { element } = faint[place];
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const style = getComputedStyle(element);
  const range = document.createRange();
  const words = [...element.childNodes].find((node) => node.nodeType === 3 && node.data.trim());
  range.selectNodeContents(words ?? element);
  const { x, y, width, height } = range.getBoundingClientRect();
  const size = parseFloat(style.fontSize);
  const found = {
    colour: style.color, clip: { x, y, width, height },
    isLarge: size >= 24 || (size >= 18.66 && style.fontWeight >= 700),
  };
  element.style.color = "transparent";
  return found;
}"""


def find_barriers(page: Page, *, layer: str = "", is_mail: bool = False) -> list[str]:
    """Run every rule of WCAG 2.2 A and AA and of good practice; name each element it stops at.

    `layer` selects what lies over the page; what it covers is looked at when it is closed.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(SOURCE)
    choice: dict[str, Any] = {
        "tags": TAGS,
        "leftOut": [*LEFT_OUT, *(FOR_MAILS if is_mail else ())],
        "contrastRatio": {
            "normal": {"expected": CONTRAST},
            "large": {"expected": CONTRAST_OF_LARGE},
        },
        "undecided": list(UNDECIDED),
        "layer": layer,
    }
    answer = page.evaluate(RUN, choice)
    found = [*answer["found"], *(f"undecided {text}" for text in answer["undecided"])]
    for place, text in enumerate(answer["faint"]):
        measured, needed = measure_contrast(page, place)
        if measured < needed:
            found.append(f"measured {measured:.1f} of {needed} {text}")
    return [" ".join(text.split()) for text in found]


def measure_contrast(page: Page, place: int) -> tuple[float, float]:
    """Compare words that axe was not sure of with what is painted under them, pixel by pixel.

    The darkest or brightest fiftieth of the ground does not count. Returns the contrast, and what
    it ought to be.
    """
    words = page.evaluate(HIDE_WORDS, place)
    picture = Image.open(BytesIO(page.screenshot(clip=words["clip"]))).convert("RGB")
    page.evaluate("(place) => faint[place].element.style.removeProperty('color')", place)
    ink = "#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", words["colour"])[:3]))
    grounds = picture.resize((60, 30)).getcolors(60 * 30) or []
    steps = sorted(
        step
        for count, (red, green, blue) in grounds
        for step in [contrast(ink, f"#{red:02x}{green:02x}{blue:02x}")] * count
    )
    return steps[len(steps) // 50], MEASURED_OF_LARGE if words["isLarge"] else MEASURED
