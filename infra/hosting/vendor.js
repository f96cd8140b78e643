// @ts-check
/** Copies the libraries that the page may load into what is deployed: `npm run build`. */

import { mkdir, readFile, writeFile } from "node:fs/promises";

/** By package: its files, and what they are called where the page finds them. */
const LIBRARIES = {
  "hls.js": { "dist/hls.min.mjs": "hls.min.mjs", LICENSE: "hls.LICENSE.txt" },
  firebase: Object.fromEntries(
    ["app", "auth", "app-check", "messaging"].map((part) => [`firebase-${part}.js`, `firebase-${part}.js`]),
  ),
};
/** Where these files look for each other; the page takes no code from there. */
const CDN = /https:\/\/www\.gstatic\.com\/firebasejs\/[\d.]+\//g;
/** Its package has no licence beside it. */
const NOTICE = "/*! Firebase, Copyright Google LLC, Apache-2.0, https://www.apache.org/licenses/LICENSE-2.0 */\n";
const VENDOR = new URL("public/vendor/", import.meta.url);

await mkdir(VENDOR, { recursive: true });
const wanted = process.argv.slice(2); // packages; all of them where none is named
for (const [name, files] of Object.entries(LIBRARIES)) {
  if (wanted.length && !wanted.includes(name)) continue;
  for (const [path, target] of Object.entries(files)) {
    const text = await readFile(new URL(`node_modules/${name}/${path}`, import.meta.url), "utf8");
    const notice = name === "firebase" ? NOTICE : "";
    await writeFile(new URL(target, VENDOR), notice + text.replaceAll(CDN, "./"));
  }
}
