/* Shows the shop's own page when the connection is gone. Whatever else is asked for comes from the
   network: nothing but this page and what it looks like is kept, least of all anything personal.
   The server writes KEPT before this text. */
const CACHE = `offline-${KEPT.release}`;
const OWN_TOOLS = /^\/(admin|media|mailbox|api)\//;

self.addEventListener("install", (event) => {
  const fetchAll = async () => {
    const cache = await caches.open(CACHE);
    const pages = Object.values(KEPT.pages).map((page) => new Request(page, { cache: "reload" }));
    await cache.addAll([...pages, ...KEPT.files]);
    await self.skipWaiting();
  };
  event.waitUntil(fetchAll());
});

self.addEventListener("activate", (event) => {
  const tidyUp = async () => {
    const old = (await caches.keys()).filter((name) => name !== CACHE);
    await Promise.all(old.map((name) => caches.delete(name)));
    // Pages are asked for while the worker wakes up, so that it never makes them slower.
    await self.registration.navigationPreload?.enable();
  };
  event.waitUntil(tidyUp());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (!OWN_TOOLS.test(pathname)) event.respondWith(open(event));
  } else if (KEPT.files.includes(pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(pathname)));
  }
});

async function open({ request, preloadResponse }) {
  try {
    return (await preloadResponse) ?? (await fetch(request));
  } catch (error) {
    const language = new URL(request.url).pathname.split("/")[1];
    const page = await caches.match(KEPT.pages[language] ?? KEPT.pages[""]);
    if (!page) throw error;
    return new Response(page.body, { status: 503, headers: page.headers });
  }
}
