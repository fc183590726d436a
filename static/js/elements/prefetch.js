/* Asks for a catalogue page when a link to it is pointed at, so that it is there after the click. */
const CATALOGUE = /^(\/[a-z-]+)?\/(categories|products|sellers)\//;
const asked = new Set([location.pathname + location.search]);

document.addEventListener("pointerover", ({ target, pointerType }) => {
  const link = target.closest?.("a[href]:not([rel~=nofollow])");
  if (!link || link.origin !== location.origin || !CATALOGUE.test(link.pathname)) return;
  const address = link.pathname + link.search;
  if (asked.has(address) || navigator.connection?.saveData) return;
  const wait = setTimeout(() => {
    asked.add(address);
    const hint = Object.assign(document.createElement("link"), { rel: "prefetch", href: address });
    document.head.append(hint);
  }, pointerType === "mouse" ? 65 : 0);
  link.addEventListener("pointerleave", () => clearTimeout(wait), { once: true });
});
