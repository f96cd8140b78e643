// @ts-check
/** The service worker: shows what is pushed, and opens the Space that it is about. */

/// <reference lib="webworker" />

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

worker.addEventListener("push", (event) => {
  const { notification = {}, data = {} } = event.data?.json() ?? {};
  const { title = "Parley", body = "", tag } = notification;
  const shown = { body, tag, icon: "/favicon.svg", data: { path: pathOf(data.link) } };
  event.waitUntil(worker.registration.showNotification(title, shown));
});

worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.path ?? "/"));
});

/**
 * Our own page of a link, whoever wrote it.
 *
 * @param {string | undefined} link
 */
function pathOf(link) {
  const { origin, pathname } = new URL(link ?? "/", location.origin);
  return origin === location.origin ? pathname : "/";
}

/**
 * In the tab that shows it already, or in a new one: no talk is torn down for it.
 *
 * @param {string} path
 */
async function open(path) {
  const tabs = await worker.clients.matchAll({ type: "window" });
  const there = tabs.find((tab) => new URL(tab.url).pathname === path);
  await (there ? there.focus() : worker.clients.openWindow(path));
}
