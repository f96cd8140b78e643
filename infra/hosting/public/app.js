// @ts-check
/** The web client's composition root: routes, the account, and the Space one is in. */

import { cameByLink } from "./identity/email_link.js";
import { account, onAccountChange, signOut } from "./session.js";
import { forgetDevice, registerDevice } from "./device.js";
import { loadIcons } from "./components/dom.js";
import { toast, toastProblem } from "./components/toast.js";
import { titleOf } from "./format.js";
import { Problem } from "./http.js";
import { noteOver } from "./over.js";
import { layGhost } from "./room/ghosts.js";
import { Present } from "./room/present.js";
import { Router } from "./router.js";
import { drawDock } from "./views/dock.js";
import { feedView } from "./views/feed.js";
import { inboxView } from "./views/inbox.js";
import { phoneView } from "./views/phone.js";
import { myRecordingsView } from "./views/my_recordings.js";
import { problemView } from "./views/problem.js";
import { profileView } from "./views/profile.js";
import { replayView } from "./views/replay.js";
import { roomView } from "./views/room.js";
import { askSignIn } from "./views/sign_in.js";
import { finishSignIn } from "./views/sign_in_email.js";
import { markHere } from "./views/space_card.js";
import { openStartSheet } from "./views/start.js";
import { drawTopbar } from "./views/topbar.js";

const SPACE_PATH = /^\/s\/([1-9A-Za-z]{13})\/?$/;
const REPLAY_PATH = /^\/s\/([1-9A-Za-z]{13})\/recording\/?$/;

const REMINDED_MS = 30 * 60_000; // before its start a Space's host is pushed to

/** @type {import("./api.js").Space | null} To enter at once, to speak. */
let entering = null;

const present = new Present({
  onchange: () => {
    drawDock(present);
    markHere(present.session?.space.id ?? null);
  },
  onend: ({ space }, problem) => {
    if (!problem) noteOver(space.id);
    if (location.pathname === `/s/${space.id}`) return; // its page tells more
    if (problem) return toastProblem(problem);
    toast("This Space has ended", { text: titleOf(space), symbol: "stop" });
  },
});

const router = new Router((path) => {
  const view = viewOf(path);
  drawDock(present);
  return view;
});

/** @type {import("./router.js").Routes} */
const routes = {
  go: (path) => router.go(path),
  setTitle: (title) => router.setTitle(title),
  signInThen,
  signOut: () => void leaveParley(),
  enter,
  startSpace: () =>
    void signInThen(() =>
      openStartSheet((space) => {
        if (space.state === "live") return enter(space);
        const aheadMs = Date.parse(space.scheduled_start ?? "") - Date.now();
        toast("Scheduled", { text: aheadMs > REMINDED_MS ? "We remind you half an hour before." : "We tell you when it is time.", symbol: "calendar" });
        router.go(`/s/${space.id}`);
      }),
    ),
};

/**
 * @param {string} path
 * @returns {import("./router.js").View}
 */
function viewOf(path) {
  if (path === "/") return feedView(routes);
  if (path === "/inbox") return inboxView(routes);
  if (path === "/me") return profileView(routes);
  if (path === "/phone") return phoneView();
  if (path === "/recordings") return myRecordingsView(routes);
  const replay = REPLAY_PATH.exec(path);
  if (replay) return replayView(replay[1], routes);
  const space = SPACE_PATH.exec(path);
  if (space) return roomView(space[1], { routes, present, entering });
  const code = path.startsWith("/s/") ? "space-not-found" : "page-not-found";
  return problemView(new Problem({ code, status: 404 }), routes);
}

/** @param {import("./api.js").Space} space */
function enter(space) {
  entering = space;
  router.go(`/s/${space.id}`);
  entering = null;
}

async function leaveParley() {
  present.leave();
  await forgetDevice();
  signOut();
  router.go("/");
}

/** @param {() => void} then Done at once where somebody is signed in already. */
async function signInThen(then) {
  // Who came by a link is asked already; what is shown is drawn anew after that.
  if (account() || (!cameByLink() && (await askSignIn()))) then();
}

function drawShell() {
  drawTopbar({ signIn: () => void signInThen(() => router.go(location.pathname)) });
  void registerDevice();
}

onAccountChange(drawShell);
window.addEventListener("offline", () => toastProblem(new Problem({ code: "offline", status: 0 })));
window.addEventListener("online", () => toast("Back online", { symbol: "check" }));
void loadIcons();
drawShell();
router.start();
void finishSignIn().then((done) => done && router.go(location.pathname));
layGhost();
