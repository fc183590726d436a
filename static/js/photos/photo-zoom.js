/* Opens the photographs of a gallery over the page; buttons and arrow keys turn and look closer. */
class PhotoZoom extends HTMLElement {
  connectedCallback() {
    this.links = [...this.querySelectorAll(".gallery a")];
    this.dialog = this.querySelector("dialog");
    this.photo = this.querySelector(".zoom__photo");
    this.closer = this.querySelector("[data-closer]");
    for (const [place, link] of this.links.entries()) {
      link.addEventListener("focus", () => link.scrollIntoView({ block: "nearest" }));
      link.addEventListener("click", (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        this.show(place);
        this.dialog.showModal();
      });
    }
    for (const button of this.querySelectorAll("[data-turn]")) {
      button.hidden = this.links.length < 2;
      button.addEventListener("click", () => this.turn(Number(button.dataset.turn)));
    }
    for (const part of [this.closer, this.photo]) {
      part.addEventListener("click", () => this.look(!this.isClose));
    }
    this.dialog.addEventListener("keydown", ({ key }) => {
      if (this.isClose || !["ArrowLeft", "ArrowRight"].includes(key)) return;
      this.turn((key === "ArrowRight") === this.matches(":dir(ltr)") ? 1 : -1);
    });
    this.dialog.addEventListener("close", () => this.links[this.place].focus());
  }

  show(place) {
    this.place = place;
    const picture = this.links[place].querySelector("picture").cloneNode(true);
    for (const source of picture.querySelectorAll("source")) source.sizes = "80rem";
    picture.querySelector("img").loading = "eager";
    this.photo.replaceChildren(picture);
    this.querySelector(".zoom__place").textContent = `${place + 1} / ${this.links.length}`;
    this.look(false);
  }

  turn(step) {
    this.show((this.place + step + this.links.length) % this.links.length);
  }

  look(isClose) {
    this.isClose = isClose;
    this.dialog.classList.toggle("zoom--close", isClose);
    this.closer.ariaPressed = isClose;
    if (!isClose) return;
    this.photo.focus();
    this.photo.scrollTo(
      (this.photo.scrollWidth - this.photo.clientWidth) / 2,
      (this.photo.scrollHeight - this.photo.clientHeight) / 2,
    );
  }
}
customElements.define("photo-zoom", PhotoZoom);
