/* Adds less and more to a number field; with data-sends the form goes off by itself, and waits
   for a tap on its own button only when that failed. */
class QuantityStepper extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const most = Number(input.dataset.max) || 9999;
    for (const button of this.querySelectorAll("[data-step]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const wanted = (parseInt(input.value, 10) || 0) + Number(button.dataset.step);
        input.value = Math.min(Math.max(wanted, 1), most);
        input.dispatchEvent(new Event("change"));
      });
    }
    if (!("sends" in this.dataset)) return;
    const send = this.querySelector("[type=submit]");
    send.hidden = true;
    input.addEventListener("change", () => {
      clearTimeout(this.pause);
      this.dataset.waits = "";
      this.pause = setTimeout(() => {
        delete this.dataset.waits;
        if (input.isConnected) input.form.requestSubmit();
      }, 350);
    });
    input.form.addEventListener("htmx:afterRequest", ({ detail }) => {
      send.hidden = detail.successful;
    });
  }
}
customElements.define("quantity-stepper", QuantityStepper);
