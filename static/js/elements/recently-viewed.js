/* Shows what was looked at before, and remembers this product: in this browser, nowhere else. */
class RecentlyViewed extends HTMLElement {
  connectedCallback() {
    const { product, cards } = this.dataset;
    const ids = (localStorage.viewed ?? "").split(",").filter((id) => id && id !== product);
    if (ids[0]) this.setAttribute("hx-get", `${cards}?ids=${ids}`);
    localStorage.viewed = [product, ...ids.slice(0, 7)];
    this.addEventListener("click", ({ target }) => {
      if (!target.closest("button")) return;
      localStorage.removeItem("viewed");
      this.replaceChildren();
    });
  }
}
customElements.define("recently-viewed", RecentlyViewed);
