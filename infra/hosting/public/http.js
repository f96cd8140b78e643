// @ts-check
/** One HTTP request, and the one error that every failed request becomes. */

const TIMEOUT_MS = 15_000;

/** A refusal or a failure; `code` is the last segment of RFC 9457's `type`. */
export class Problem extends Error {
  /**
   * @param {{code: string, status: number, detail?: string, retryAfterMs?: number,
   *   state?: string}} facts `status` is 0 where no answer came.
   */
  constructor({ code, status, detail = "", retryAfterMs, state }) {
    super(detail || code);
    this.name = "Problem";
    this.code = code;
    this.status = status;
    this.detail = detail;
    /** What the server asked us to wait, or undefined. */
    this.retryAfterMs = retryAfterMs;
    /** The Space's state, where that is the reason. */
    this.state = state;
  }
}

/**
 * @typedef {object} RequestOptions
 * @property {unknown} [json] Sent as application/json.
 * @property {string} [sdp] Sent as application/sdp.
 * @property {URLSearchParams} [form] Sent as application/x-www-form-urlencoded.
 * @property {string} [bearer]
 * @property {string} [appCheck] Proves the app, as `bearer` proves the person.
 * @property {string} [idempotencyKey]
 * @property {string} [ifMatch] The ETag that must still hold.
 * @property {boolean} [keepalive] Let the request outlive the page.
 * @property {AbortSignal} [signal]
 */

/**
 * Send one request.
 *
 * @param {string} method
 * @param {string} url
 * @param {RequestOptions} [options]
 * @returns {Promise<Response>} Always a 2xx, with its body here already.
 * @throws {Problem} The server refused, or could not be reached.
 */
export async function request(method, url, options = {}) {
  let response;
  try {
    const answer = await fetch(url, {
      method,
      headers: headersOf(options),
      body: options.sdp ?? options.form ?? (options.json === undefined ? undefined : JSON.stringify(options.json)),
      keepalive: options.keepalive ?? false,
      signal: signalOf(options.signal),
    });
    // To the end, for a body can break off too.
    response = new Response((await answer.text()) || null, answer);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem({ code: navigator.onLine ? "unreachable" : "offline", status: 0 });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/**
 * The JSON that a 2xx answer holds.
 *
 * @param {Response} response From `request`.
 * @returns {Promise<any>}
 * @throws {Problem} `not-parley`: something between us and the server answered, as
 *   a Wi-Fi's sign-in page does.
 */
export async function jsonOf(response) {
  try {
    return await response.json();
  } catch {
    throw new Problem({ code: "not-parley", status: 0 });
  }
}

/** @param {RequestOptions} options */
function headersOf({ json, sdp, bearer, appCheck, idempotencyKey, ifMatch }) {
  const headers = new Headers({ Accept: "application/json, application/problem+json" });
  if (json !== undefined) headers.set("Content-Type", "application/json");
  if (sdp !== undefined) {
    headers.set("Content-Type", "application/sdp");
    headers.set("Accept", "application/sdp, application/problem+json");
  }
  if (bearer) headers.set("Authorization", `Bearer ${bearer}`);
  if (appCheck) headers.set("X-Firebase-AppCheck", appCheck);
  if (idempotencyKey) headers.set("Idempotency-Key", idempotencyKey);
  if (ifMatch) headers.set("If-Match", ifMatch);
  return headers;
}

/** @param {AbortSignal | undefined} signal */
function signalOf(signal) {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

/** @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const segment = String(body.type ?? "").split("/").pop() ?? "";
  const code = segment && segment !== "about:blank" ? segment : `http-${response.status}`;
  const said = body.detail ?? body.error?.message; // ours, or Google's
  return new Problem({
    code,
    status: response.status,
    detail: typeof said === "string" ? said : "",
    state: typeof body.state === "string" ? body.state : undefined,
    retryAfterMs: retryAfterMs(body, response.headers.get("Retry-After") ?? ""),
  });
}

/**
 * @param {any} body What the server says of it more exactly than the header can.
 * @param {string} header Whole seconds.
 */
function retryAfterMs({ retry_after_ms: exactly }, header) {
  if (typeof exactly === "number") return exactly;
  return /^\d+$/.test(header) ? Number(header) * 1000 : undefined;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The same server by the name that this page was opened with: "localhost" and
 * "127.0.0.1" are one machine and two origins.
 *
 * @param {string} url
 */
export function nearby(url) {
  const parsed = new URL(url, location.href);
  const alias = LOOPBACK.has(parsed.hostname) && LOOPBACK.has(location.hostname);
  if (!alias || parsed.port !== location.port) return parsed.href;
  return location.origin + parsed.pathname + parsed.search;
}
