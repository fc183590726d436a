/* Lets the browser keep the page that it shows when the connection is gone. */
addEventListener("load", () => {
  const worker = document.querySelector("[name=offline-worker]")?.content;
  if (worker) navigator.serviceWorker?.register(worker, { updateViaCache: "all" }).catch(() => {});
});
