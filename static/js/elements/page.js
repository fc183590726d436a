/* What no single element can do: tell the badge, say that a request failed, see where focus goes. */
document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.elt.closest("[data-changes-cart]")) htmx.trigger(document.body, "cart-changed");
});

/* Where focus goes when what had it is replaced: its like of the same id, else what these select. */
let heirs = [];
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  /* Somebody is still typing or tapping there: their own answer will come. */
  if (detail.target.querySelector("[data-waits]")) detail.shouldSwap = false;
  const focused = document.activeElement;
  if (detail.shouldSwap && focused !== document.body) {
    heirs = [focused.closest("[data-focus-next]")?.dataset.focusNext, "[data-catches-focus]"];
  }
});

document.addEventListener("htmx:afterSettle", () => {
  for (const selector of heirs.filter(Boolean)) {
    if (document.activeElement !== document.body) break;
    [...document.querySelectorAll(selector)]
      .find((element) => element.checkVisibility())
      ?.focus({ preventScroll: true });
  }
  heirs = [];
});

/* A field that was checked when it was left: what readers hear of it follows its message. */
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (!target.matches(".field__message")) return;
  const input = document.getElementById(target.id.replace("_error", ""));
  input.ariaInvalid = target.querySelector(".field__error") ? "true" : "false";
});

/* Links that change a part of the page. A listing has a hundred: one ear is cheaper than htmx's. */
document.addEventListener("click", (event) => {
  const source = event.target.closest("[data-swaps] a");
  if (!source || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  /* The toast tells of failures. */
  htmx.ajax("GET", source.href, { source, event }).catch(() => {});
});

const toast = document.getElementById("toast");
for (const fault of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(fault, ({ detail }) => {
    if (detail.elt.closest("[data-quiet]")) return;
    toast.textContent = said.textContent = toast.dataset.failed;
    toast.popover = "manual";
    toast.showPopover();
    setTimeout(() => (toast.textContent = ""), 8000);
  });
}

document.querySelector("[data-takes-focus]")?.focus();
