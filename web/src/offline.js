// Has the service worker keep the files of the page, once the page itself has what it needs.

/** Register it, and say when everything is there. */
export async function keepOffline(said) {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register(new URL("./sw.js", document.baseURI), { scope: "./" });
    await navigator.serviceWorker.ready;
    said.textContent = "Works offline from now on.";
  } catch {
    said.textContent = "Offline use needs a secure address (https or this machine).";
  }
}
