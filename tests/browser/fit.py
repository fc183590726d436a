"""Whether a page fits its screen: nothing sticks out, no text is cut or lies upon another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Page

MISFITS = """() => {
  const WORD = /(?<!\\S)\\p{L}{2,10}(?!\\S)/gu;
  const found = [];
  const root = document.documentElement;
  const wide = root.scrollWidth - innerWidth;
  if (wide > 0) found.push(`the page is ${wide}px wider than the window`);

  const layers = [...document.querySelectorAll(":modal, :popover-open")];
  const top = layers.at(-1) ?? document.body;
  const styles = new Map();
  const style = (element) => {
    if (!styles.has(element)) styles.set(element, getComputedStyle(element));
    return styles.get(element);
  };
  const lineage = function* (element) {
    for (; element && element !== root; element = element.parentElement) yield element;
  };
  const isSilent = (element) => {
    for (const one of lineage(element)) {
      if (style(one).clipPath === "inset(50%)" || one.ariaHidden === "true") return true;
    }
    return false;
  };
  const call = (element) => {
    const names = [...element.classList].map((name) => "." + name).join("");
    const words = element.textContent.trim().replace(/\\s+/g, " ").slice(0, 30);
    return `${element.localName}${names} "${words}"`;
  };
  const scrolls = (element, axis) => /auto|scroll/.test(style(element)["overflow" + axis]);
  const cuts = (element, axis) => /hidden|clip/.test(style(element)["overflow" + axis]);
  const isScrolledAside = (element) => {
    for (const one of lineage(element.parentElement)) {
      if (one === top) return false;
      if (scrolls(one, "X") && one.scrollWidth > one.clientWidth) return true;
    }
    return false;
  };

  const outs = new Map();
  for (const element of top.querySelectorAll("*")) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.closest("svg svg, picture > *")) continue;
    const box = element.getBoundingClientRect();
    if (!box.width || !box.height || isSilent(element)) continue;
    const out = Math.round(Math.max(-box.left, box.right - innerWidth));
    outs.set(element, out);
    if (out > 1 && !(outs.get(element.parentElement) >= out) && !isScrolledAside(element)) found.push(`${out}px out of the window: ${call(element)}`);
    if (["fixed", "sticky"].includes(style(element).position) && !layers.includes(element)
        && box.height > innerHeight / 2 && box.width > innerWidth * 0.6) {
      found.push(`covers more than half of the window: ${call(element)}`);
    }
    if (element.matches("input:not([type=hidden], [type=radio], [type=checkbox])")
        && element.inputMode === "numeric" && element.scrollWidth > element.clientWidth) {
      found.push(`does not show its whole number: ${call(element)}`);
    }
  }

  const texts = [];
  const walker = document.createTreeWalker(top, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility({ visibilityProperty: true })) continue;
    if (element.closest("select, script, style, noscript, svg, iframe, [aria-hidden=true]") || isSilent(element)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    let boxes = [...range.getClientRects()].filter((box) => box.width > 0.5);
    for (const one of lineage(element)) {
      if (one === top || !(scrolls(one, "X") || scrolls(one, "Y"))) continue;
      const view = one.getBoundingClientRect();
      boxes = boxes.filter((box) => box.bottom > view.top && box.top < view.bottom);
    }
    if (!boxes.length || style(element).textOverflow === "ellipsis") continue;
    const slack = parseFloat(style(element).fontSize) * 0.4;
    const text = { node, element, boxes, slack };
    texts.push(text);
    if (isScrolledAside(element)) continue;
    if (boxes.length > 1 && !root.style.fontSize) {
      for (const word of node.data.matchAll(WORD)) {
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const rows = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
        if (rows.size > 1) found.push(`"${word[0]}" is broken: ${call(element)}`);
      }
    }

    let block = element;
    while (/^(inline|contents)$/.test(style(block).display)) block = block.parentElement;
    const room = block.getBoundingClientRect();
    const spill = Math.max(...boxes.map((box) => Math.max(room.left - box.left, box.right - room.right)));
    if (spill > 1.5) found.push(`text spills ${Math.round(spill)}px out of its box: ${call(element)}`);

    for (const one of lineage(element)) {
      const edge = one.getBoundingClientRect();
      const aside = Math.max(...boxes.map((box) => Math.max(edge.left - box.left, box.right - edge.right)));
      const below = Math.max(...boxes.map((box) => Math.max(edge.top - box.top, box.bottom - edge.bottom)));
      if ((cuts(one, "X") && aside > 1.5) || (cuts(one, "Y") && below > slack)) {
        found.push(`text is cut off: ${call(element)} by ${call(one)}`);
      }
      if (scrolls(one, "Y") || one === top) break;
    }
  }

  const layer = (element) => {
    for (const one of lineage(element)) {
      if (/absolute|fixed|sticky/.test(style(one).position) || one === top) return one;
    }
  };
  for (const [place, text] of texts.entries()) {
    for (const other of texts.slice(place + 1)) {
      const slack = Math.max(text.slack, other.slack);
      const isUpon = text.boxes.some((one) => other.boxes.some((two) =>
        Math.min(one.right, two.right) - Math.max(one.left, two.left) > 2
        && Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top) > slack));
      if (isUpon && layer(text.element) === layer(other.element)) {
        found.push(`text upon text: ${call(text.element)} and ${call(other.element)}`);
      }
    }
  }
  return [...new Set(found)];
}"""


@dataclass(frozen=True)
class Screen:
    """A window, and how large its owner likes text: `font` is what their browser is set to."""

    name: str
    width: int
    height: int
    font: int = 16
    root: str = ""
    is_rare: bool = False

    @property
    def is_wide(self) -> bool:
        """Say whether the page shows what it has for desktops, such as the menu laid open."""
        return self.width / self.font >= 64


SCREENS = (
    Screen("a narrow phone", 320, 640),
    Screen("a desktop at 400 %", 320, 256, is_rare=True),
    Screen("a phone with text at 200 %", 390, 844, font=32),
    Screen("a desktop", 1280, 900),
    Screen("a desktop with text at 200 %", 1280, 1024, font=32, is_rare=True),
    Screen("a desktop where text alone grew to 200 %", 1280, 1024, root="200%", is_rare=True),
)


def find_misfits(page: Page) -> list[str]:
    """List what does not fit the window as it is; what lies on top is looked at alone."""
    misfits: list[str] = page.evaluate(MISFITS)
    return misfits


class Fitting:
    """Tries a page on one screen after the other; on the rare ones when they are asked for."""

    def __init__(self, page: Page, *, with_rare: bool = True) -> None:
        self.page = page
        self._screens = [screen for screen in SCREENS if with_rare or not screen.is_rare]
        self._devtools: CDPSession = page.context.new_cdp_session(page)

    def find_misfits(self, *, wide: bool | None = None) -> list[str]:
        """List what does not fit, after the name of the screen; on all, or wide or narrow ones."""
        screens = [screen for screen in self._screens if wide in (None, screen.is_wide)]
        return [f"{screen.name}: {misfit}" for screen in screens for misfit in self._try_on(screen)]

    def _try_on(self, screen: Screen) -> list[str]:
        with self.shown_on(screen):
            return find_misfits(self.page)

    @contextmanager
    def shown_on(self, screen: Screen) -> Iterator[None]:
        self._devtools.send("Page.setFontSizes", {"fontSizes": {"standard": screen.font}})
        self.page.set_viewport_size({"width": screen.width, "height": screen.height})
        self._set_root(screen.root)
        yield
        self._set_root("")

    def _set_root(self, size: str) -> None:
        self.page.evaluate("(size) => { document.documentElement.style.fontSize = size }", size)
