// @ts-check
/** Copies the libraries that the page may load into what is deployed: `npm run build`. */

import { copyFile, mkdir } from "node:fs/promises";

const LIBRARIES = ["hls.js/dist/hls.min.mjs", "hls.js/LICENSE"];
const VENDOR = new URL("public/vendor/", import.meta.url);

await mkdir(VENDOR, { recursive: true });
for (const path of LIBRARIES) {
  const name = path.endsWith("LICENSE") ? "hls.LICENSE.txt" : path.split("/").pop();
  await copyFile(new URL(`node_modules/${path}`, import.meta.url), new URL(String(name), VENDOR));
}
