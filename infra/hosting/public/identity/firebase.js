// @ts-check
/** Firebase's SDK, part by part and only where it is configured. */

import { firebaseSettings } from "./settings.js";
import { Problem } from "../http.js";

/** Brought in when the client is built (infra/hosting/package.json). */
const LIBRARIES = "/vendor/";

/** @type {Promise<any> | null} */
let app = null;

/**
 * The one app of this page.
 *
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export function firebaseApp() {
  app ??= open().catch((problem) => {
    app = null;
    throw problem;
  });
  return app;
}

/**
 * A part of the SDK.
 *
 * @param {"app" | "auth" | "app-check" | "messaging"} part
 * @returns {Promise<any>}
 * @throws {Problem} `unreachable`
 */
export async function library(part) {
  try {
    return await import(`${LIBRARIES}firebase-${part}.js`);
  } catch {
    throw new Problem({ code: navigator.onLine ? "unreachable" : "offline", status: 0 });
  }
}

async function open() {
  const settings = await firebaseSettings();
  if (!settings) throw new Problem({ code: "sign-in-failed", status: 0 });
  const { initializeApp } = await library("app");
  return initializeApp({
    apiKey: settings.api_key,
    appId: settings.app_id,
    projectId: settings.project_id,
    messagingSenderId: settings.sender_id,
  });
}
