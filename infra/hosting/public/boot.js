// @ts-check
/** Loads the page anew where a network that changed meanwhile has cost it one of its files. */

(() => {
  const KEY = "parley.boots";
  const MOST = 3;
  const PAUSE_MS = 1000;
  let failed = false;

  // A module that cannot be had fails its script, which tells nobody but the element.
  const onError = (/** @type {Event} */ { target }) => {
    if (failed || !(target instanceof HTMLScriptElement)) return;
    if (new URL(target.src, location.href).origin !== location.origin) return; // not our file
    failed = true;
    const nth = Number(sessionStorage.getItem(KEY)) + 1;
    sessionStorage.setItem(KEY, String(nth % (MOST + 1)));
    if (nth <= MOST) return void setTimeout(() => location.reload(), nth * PAUSE_MS);
    const main = document.getElementById("main");
    if (main) main.textContent = "Parley could not be loaded. Check your connection, then reload the page.";
  };
  window.addEventListener("error", onError, { capture: true });
  window.addEventListener("load", () => failed || sessionStorage.removeItem(KEY));
})();
