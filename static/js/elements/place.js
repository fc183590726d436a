/* Going back and forward among filters loads the page anew; this keeps where it was looked at. */
let here = location.href;
const keepPlace = () => sessionStorage.setItem(here, scrollY);
document.addEventListener("htmx:beforeHistoryUpdate", keepPlace);
document.addEventListener("htmx:pushedIntoHistory", () => (here = location.href));

addEventListener("pagehide", keepPlace);
addEventListener("popstate", ({ state }) => {
  if (!state?.htmx) return;
  keepPlace();
  history.scrollRestoration = "manual";
});

if (history.scrollRestoration === "manual") {
  scrollTo({ top: sessionStorage.getItem(here) ?? 0, behavior: "instant" });
}
