// Keeps the files of the page, so that it works without a network. The build writes their names and hashes into it, and a new build is a
// new version: it is fetched as a whole, and takes over when no page of the old one is open.
const KEPT = "playground-VERSION";
const FILES = "FILES";

/** Fetches a file, and refuses one of another build. */
async function fetched(path) {
  const response = await fetch(new Request(path, { cache: "no-cache" }));
  const digest = await crypto.subtle.digest("SHA-256", await response.clone().arrayBuffer());
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (!response.ok || hash !== FILES[path]) throw new Error(`${path} is not of this build`);
  return response;
}

async function keepAll() {
  const cache = await caches.open(KEPT);
  for (const path of Object.keys(FILES)) await cache.put(path, await fetched(path));
}

async function dropOthers() {
  for (const name of await caches.keys()) if (name.startsWith("playground-") && name !== KEPT) await caches.delete(name);
  await self.clients.claim();
}

async function answer(request) {
  const cache = await caches.open(KEPT);
  const page = request.mode === "navigate" ? "index.html" : request;
  return (await cache.match(page, { ignoreSearch: true })) ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(keepAll()));
self.addEventListener("activate", (event) => event.waitUntil(dropOthers()));
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method === "GET" && url.origin === self.location.origin) event.respondWith(answer(event.request));
});
