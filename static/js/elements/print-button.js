/* Prints the page; without scripts there is no button, and the browser's own menu prints as well. */
class PrintButton extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", () => print());
  }
}
customElements.define("print-button", PrintButton);
