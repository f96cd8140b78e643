// @ts-check
/** Changing a Space that is still to come: its title, its time, who may speak. */

import { cancelSpace, editSpace } from "../api/schedule.js";
import { titleOf } from "../format.js";
import { busyWhile } from "../components/button.js";
import { h } from "../components/dom.js";
import { formError } from "../components/form_error.js";
import { confirmSheet, openSheet } from "../components/sheet.js";
import { toast } from "../components/toast.js";
import { whenField } from "../components/when.js";
import { attempt } from "./controls.js";
import { policyField } from "./policy.js";
import { titleField } from "./title_field.js";

/** @typedef {import("../api.js").Space} Space */

/**
 * @param {Space} space
 * @param {(changed: Space) => void} onchanged
 */
export function openEditSheet(space, onchanged) {
  openSheet("Edit Space", {
    testid: "edit-sheet",
    content: (close) => [
      editForm(space, (changed) => {
        close();
        toast("Saved", { symbol: "check" });
        onchanged(changed);
      }),
    ],
  });
}

/**
 * @param {Space} space
 * @param {(changed: Space) => void} ondone
 */
function editForm(space, ondone) {
  const error = formError();
  const planned = new Date(space.scheduled_start ?? Date.now());
  const when = whenField(planned, () => undefined);
  const go = h("button", { class: "button button--primary button--wide", "data-testid": "edit-submit" }, h("span", {}, "Save"));
  const form = h("form", { class: "start", novalidate: true }, titleField(space.title ?? ""), when.element, policyField(space.speaker_policy), error.element, go);
  const send = async () => {
    const data = new FormData(form);
    const at = when.value();
    const kept = `${data.get("date")}T${data.get("time")}` === form.dataset.planned;
    if (!kept && !at) return error.say(when.trouble());
    await error.guard(async () =>
      ondone(
        await editSpace(space.id, {
          title: String(data.get("title")).trim() || null,
          speaker_policy: /** @type {import("../api.js").SpeakerPolicy} */ (data.get("policy")),
          ...(!kept && at && { scheduled_start: at.toISOString() }),
        }),
      ),
    );
  };
  const before = new FormData(form);
  form.dataset.planned = `${before.get("date")}T${before.get("time")}`;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void busyWhile(go, send);
  });
  return form;
}

/**
 * Call it off, after asking.
 *
 * @param {Space} space
 * @param {() => void} oncancelled
 */
export function askCancel(space, oncancelled) {
  const waiting = space.subscriber_count;
  confirmSheet("Cancel this Space?", {
    text: `“${titleOf(space)}” will not take place.${waiting ? " Everybody who asked to be reminded is told." : ""}`,
    choices: [
      {
        label: "Cancel the Space",
        look: "danger",
        testid: "cancel-confirm",
        act: () => attempt(() => cancelSpace(space.id).then(oncancelled)),
      },
      { label: "Keep it", act: () => undefined },
    ],
  });
}
