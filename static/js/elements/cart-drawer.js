/* Opens the cart beside the page, on a click on the cart or when something was put in. */
class CartDrawer extends HTMLElement {
  connectedCallback() {
    this.dialog = this.querySelector("dialog");
    this.addEventListener("htmx:afterSwap", () => this.dialog.open || this.dialog.showModal());
    this.dialog.addEventListener("click", ({ target }) => {
      if (target === this.dialog) this.dialog.close();
    });
    document.querySelector("[data-opens-cart]")?.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || !window.htmx) return;
      event.preventDefault();
      htmx.ajax("GET", this.dataset.source, { target: "#cart-drawer" });
    });
  }
}
customElements.define("cart-drawer", CartDrawer);
