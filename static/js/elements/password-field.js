/* Lets a person see the password that they type; it is hidden again before the form is sent. */
class PasswordField extends HTMLElement {
  connectedCallback() {
    const input = this.querySelector("input");
    const button = this.querySelector("button");
    const show = (seen) => {
      input.type = seen ? "text" : "password";
      button.setAttribute("aria-pressed", seen);
    };
    button.hidden = false;
    button.addEventListener("click", () => show(input.type === "password"));
    input.form.addEventListener("submit", () => show(false));
  }
}
customElements.define("password-field", PasswordField);
