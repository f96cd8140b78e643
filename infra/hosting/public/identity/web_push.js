// @ts-check
/** Firebase's pushes to this browser: asking for them, and the token they are sent to. */

import { firebaseApp, library } from "./firebase.js";
import { firebaseSettings } from "./settings.js";

const WORKER = "/push_worker.js";

/**
 * Ask whether pushes may be shown, where nobody has been asked yet.
 *
 * Call it from a tap that a person understands to want them: browsers show the question
 * only then, and only once.
 *
 * @returns {Promise<boolean>} Whether they may.
 */
export async function mayPush() {
  if (!(await wanted()) || !("Notification" in window)) return false;
  if (Notification.permission !== "default") return Notification.permission === "granted";
  return (await Notification.requestPermission()) === "granted";
}

/**
 * Where pushes for this browser go.
 *
 * @returns {Promise<string | null>} null: the operator sends none, or nobody allowed them.
 */
export async function pushToken() {
  if (!("Notification" in window) || Notification.permission !== "granted") return null;
  const vapidKey = await wanted();
  if (!vapidKey) return null;
  const [app, sdk] = await Promise.all([firebaseApp(), library("messaging")]);
  if (!(await sdk.isSupported())) return null;
  await navigator.serviceWorker.register(WORKER);
  return sdk.getToken(sdk.getMessaging(app), {
    vapidKey,
    serviceWorkerRegistration: await navigator.serviceWorker.ready,
  });
}

/** No more pushes to this browser, even where nobody can be told of it. */
export async function stopPushes() {
  const registration = await navigator.serviceWorker?.getRegistration(WORKER);
  const subscription = await registration?.pushManager.getSubscription();
  await subscription?.unsubscribe();
}

/** @returns {Promise<string | null>} The key that pushes are signed with; null: none come. */
const wanted = async () => ("serviceWorker" in navigator && (await firebaseSettings())?.vapid_key) || null;
