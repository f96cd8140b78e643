// @ts-check
/** Random text that nobody else has. */

/** Not randomUUID: that needs https even where nothing secret is made. */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
