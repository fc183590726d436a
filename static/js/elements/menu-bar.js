/* Closes an open <details> menu on Escape, on a click elsewhere and when focus moves on. */
class MenuBar extends HTMLElement {
  connectedCallback() {
    this.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" && this.querySelector("details[open]");
      if (!open) return;
      open.open = false;
      open.querySelector("summary").focus();
    });
    this.addEventListener("focusout", ({ relatedTarget }) => {
      if (relatedTarget && !this.contains(relatedTarget)) this.close();
    });
    this.closeOutside = ({ target }) => this.contains(target) || this.close();
    document.addEventListener("click", this.closeOutside);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.closeOutside);
  }

  close() {
    for (const details of this.querySelectorAll("details[open]")) details.open = false;
  }
}
customElements.define("menu-bar", MenuBar);
