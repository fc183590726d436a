/* Takes a form that was sent no second time, and wakes a page rightly that comes back as it was left. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.ariaBusy) event.preventDefault();
  form.ariaBusy = "true";
  setTimeout(() => (form.ariaBusy = null), 8000);
});

addEventListener("pageshow", ({ persisted }) => {
  if (!persisted) return;
  if (document.querySelector("[data-stale]")) return location.reload();
  for (const form of document.querySelectorAll("[aria-busy]")) form.ariaBusy = null;
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  htmx.trigger(document.body, "cart-changed");
});
