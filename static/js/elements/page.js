/* What no single element can do: tell the badge, say that a request failed, see where focus goes. */
document.addEventListener("htmx:afterOnLoad", ({ detail }) => {
  if (detail.elt.closest("[data-changes-cart]")) htmx.trigger(document.body, "cart-changed");
});

let focusIsReplaced = false;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.contains(document.activeElement)) focusIsReplaced = true;
});

document.addEventListener("htmx:afterSettle", () => {
  if (focusIsReplaced && document.activeElement === document.body) {
    document.querySelector("[data-catches-focus]")?.focus({ preventScroll: true });
  }
  focusIsReplaced = false;
});

const toast = document.getElementById("toast");
for (const fault of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(fault, ({ detail }) => {
    if (detail.elt.closest("[data-quiet]")) return;
    toast.textContent = toast.dataset.failed;
    setTimeout(() => (toast.textContent = ""), 8000);
  });
}

document.querySelector("[data-takes-focus]")?.focus();
