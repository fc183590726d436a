/*
 * A form that is sent with what a passkey signed. Without scripts, or in a browser that knows no
 * passkeys, it stays hidden; `data-cannot` then says so. The options come from `data-options`, or
 * from the address in `data-ask`; what went wrong is said in the [role=alert] inside.
 */
const Credential = window.PublicKeyCredential;

class PasskeyForm extends HTMLElement {
  connectedCallback() {
    const form = this.querySelector("form");
    const alert = this.querySelector("[role=alert]");
    if (!Credential?.parseRequestOptionsFromJSON) {
      alert.textContent = this.dataset.cannot ?? "";
      return;
    }
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      alert.textContent = "";
      try {
        form.elements.credential.value = JSON.stringify(await this.sign());
        form.submit();
      } catch {
        alert.textContent = this.dataset.failed;
      }
    });
  }

  async sign() {
    const { ask, options } = this.dataset;
    const { publicKey } = ask
      ? (await (await fetch(ask, { headers: { Accept: "application/json" } })).json()).request_options
      : JSON.parse(options);
    if (!("new" in this.dataset)) {
      return navigator.credentials.get({ publicKey: Credential.parseRequestOptionsFromJSON(publicKey) });
    }
    publicKey.authenticatorSelection = { residentKey: "required", userVerification: "required" };
    return navigator.credentials.create({ publicKey: Credential.parseCreationOptionsFromJSON(publicKey) });
  }
}

customElements.define("passkey-form", PasskeyForm);
