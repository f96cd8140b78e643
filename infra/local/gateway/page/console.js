// The developers' page: reads `/local/*`, changes nothing but by "Run now".

const view = document.querySelector("#view");
const problem = document.querySelector("#problem");

/** Make an element; strings become text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children.map((child) => child ?? ""));
  return element;
}

function section(title, ...children) {
  return make("section", {}, make("h2", {}, title), ...children);
}

function table(heads, rows) {
  if (rows.length === 0) return make("p", { class: "dim" }, "Nothing here yet.");
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const body = rows.map((cells) =>
    make("tr", {}, ...cells.map((cell) => make("td", {
      class: typeof cell === "number" ? "number" : "",
    }, typeof cell === "number" ? String(cell) : cell))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

async function ask(path, options) {
  const answer = await fetch(`/local/${path}`, options);
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? `${answer.status} for ${path}`);
  return body;
}

function link(path, text) {
  return make("a", { href: `#documents/${path}` }, text);
}

function crumbs(path) {
  const parts = path.split("/").filter(Boolean);
  const links = parts.flatMap((part, index) =>
    [" / ", link(parts.slice(0, index + 1).join("/"), part)]);
  return make("p", {}, link("", "database"), ...links);
}

function list(parent, ids) {
  const items = ids.map((id) =>
    make("li", {}, link(parent ? `${parent}/${id}` : id, id)));
  return items.length ? make("ul", {}, ...items) : make("p", { class: "dim" }, "None.");
}

async function documents(path) {
  const level = await ask(`documents?path=${encodeURIComponent(path)}`);
  const parts = [crumbs(path)];
  if (level.documents) {
    const title = level.more ? "Documents (the first 100)" : "Documents";
    parts.push(section(title, list(path, level.documents.map((d) => d.id))));
    return parts;
  }
  if (path) {
    const fields = level.fields === null
      ? make("p", { class: "dim" }, "No such document; it may still have collections.")
      : make("pre", {}, JSON.stringify(level.fields, null, 2));
    const updated = level.update_time ? `updated ${level.update_time}` : "";
    parts.push(section(path, make("p", { class: "dim" }, updated), fields));
  }
  parts.push(section("Collections", list(path, level.collections)));
  return parts;
}

function runNow(name) {
  const run = async () => {
    await ask("tasks/run", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name }),
    });
    await show();
  };
  const label = `Run ${name.split("/").pop()} now`;
  return make("button", {
    type: "button",
    "aria-label": label,
    // It may have run by itself meanwhile: the list is read again either way.
    onclick: () => run().catch((error) => show().then(() => fail(error))),
  }, "Run now");
}

async function tasks() {
  const { queues, tasks: waiting } = await ask("tasks");
  const rows = waiting.map((task) => [
    task.name.split("/").pop(),
    new Date(task.schedule_time).toLocaleTimeString(),
    `${task.http_request.http_method} ${new URL(task.http_request.url).pathname}`,
    make("pre", {}, task.http_request.body),
    task.dispatch_count ?? 0,
    task.last_attempt?.response_status?.message ?? "",
    runNow(task.name),
  ]);
  const state = queues.map((queue) =>
    `${queue.name.split("/").pop()}: ${queue.state.toLowerCase()}`).join(", ");
  return [section(`Waiting tasks (${state})`, table(
    ["Name", "Due", "Request", "Body", "Attempts", "Last failure", ""], rows))];
}

async function pushes() {
  const { messages } = await ask("push");
  const devices = Map.groupBy(messages, (message) => message.target);
  if (devices.size === 0) return [section("Pushes", table([], []))];
  return [...devices].map(([device, received]) => section(device, table(
    ["At", "Message"],
    received.toReversed().map((message) => [
      new Date(message.received_at).toLocaleTimeString(),
      make("pre", {}, JSON.stringify(message.message, null, 2)),
    ]))));
}

async function bill() {
  const counts = await ask("operations");
  const total = ["All", counts.reads, counts.writes, counts.deletes];
  const rows = Object.entries(counts.collections)
    .map(([id, c]) => [id || "(any)", c.reads, c.writes, c.deletes]);
  return [
    section("Operations since the start, as Google bills them", table(
      ["Collection", "Reads", "Writes", "Deletes"], [total, ...rows])),
    section("Cloud Tasks", table(["", "Count"], [
      ["created", counts.tasks_created],
      ["dispatched", counts.tasks_dispatched],
    ])),
  ];
}

const views = { documents, tasks, pushes, bill };

function fail(error) {
  problem.textContent = error.message;
  problem.hidden = false;
}

async function show() {
  const [name, ...rest] = decodeURIComponent(location.hash.slice(1)).split("/");
  const chosen = Object.hasOwn(views, name) ? name : "documents";
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.hash === `#${chosen}`) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  try {
    const parts = await views[chosen](rest.join("/"));
    problem.hidden = true;
    view.replaceChildren(...parts);
  } catch (error) {
    fail(error);
  }
}

document.querySelector("#refresh").addEventListener("click", show);
addEventListener("hashchange", show);
await show();
