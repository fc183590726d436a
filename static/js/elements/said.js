/* Tells those who cannot see it what changed: the words marked [data-says], once they are others. */
const said = document.getElementById("said");
const wordsOnPage = () =>
  [...document.querySelectorAll("[data-says]")]
    .map((element) => element.textContent.replace(/\s+/g, " ").trim())
    .filter((words, place, all) => words && all.indexOf(words) === place);

let told = wordsOnPage();
document.addEventListener("htmx:afterSettle", () => {
  const words = wordsOnPage();
  const news = words.filter((each) => !told.includes(each));
  told = words;
  if (!news.length) return;
  /* What lies behind an open dialog is not heard. */
  (document.querySelector("dialog[open] [data-hears]") ?? said).textContent = news.join(". ");
});
