// @ts-check
/** What `room.json` says of the stage, and what changed between two of them. */

/**
 * @typedef {object} Member
 * @property {string} uid
 * @property {string} handle
 * @property {string} display_name
 * @property {Exclude<import("../api.js").Role, "listener">} role
 * @property {boolean} muted
 * @property {boolean} connected
 * @property {number} csrc Names this person in RTP packets.
 */

/**
 * @typedef {object} Room
 * @property {number} epoch
 * @property {number} version
 * @property {"live" | "ended"} state
 * @property {string} title
 * @property {Member[]} stage
 * @property {string[]} talking
 * @property {number} listener_count
 * @property {number} participant_count
 * @property {boolean} [host_away]
 * @property {string | null} [acting_host_id] The co-host who acts for a host who is gone.
 * @property {string} [recording_state]
 * @property {string} [recording_notice_version]
 * @property {import("../media/key_ahead.js").HlsKey | null} [hls_key]
 * @property {Record<string, number>} [reactions] Emoji to how often it came so far.
 */

const RANK = Object.freeze({ host: 0, co_host: 1, speaker: 2 });

/** @type {Readonly<Record<import("../api.js").Role, string>>} */
export const ROLE_NAMES = Object.freeze({
  host: "Host",
  co_host: "Co-host",
  speaker: "Speaker",
  listener: "Listener",
});

/**
 * Host first, then co-hosts, then speakers; among equals the order stays.
 *
 * @param {readonly Member[]} stage
 */
export const ordered = (stage) => [...stage].sort((a, b) => RANK[a.role] - RANK[b.role]);

/**
 * Whether `next` may replace `current`: polls and the data channel overtake each other.
 *
 * @param {Room | null} current
 * @param {Room} next
 */
export function isNewer(current, next) {
  if (!current || next.epoch > current.epoch) return true;
  return next.epoch === current.epoch && next.version > current.version;
}

/**
 * What a person who cannot see the stage should be told.
 *
 * @param {Room | null} before
 * @param {Room} after
 * @param {string} ownUid Own comings and goings are told elsewhere.
 * @returns {string[]} Sentences.
 */
export function happenings(before, after, ownUid) {
  if (!before) return [];
  const was = new Map(before.stage.map((member) => [member.uid, member]));
  const is = new Map(after.stage.map((member) => [member.uid, member]));
  const told = [];
  for (const member of after.stage) {
    const old = was.get(member.uid);
    if (member.uid === ownUid) continue;
    if (!old) told.push(`${member.display_name} joined the stage.`);
    else if (old.role !== member.role)
      told.push(`${member.display_name} is now ${ROLE_NAMES[member.role].toLowerCase()}.`);
  }
  for (const member of before.stage) {
    if (member.uid !== ownUid && !is.has(member.uid))
      told.push(`${member.display_name} left the stage.`);
  }
  const acting = after.acting_host_id ?? null;
  if (acting !== null && acting !== (before.acting_host_id ?? null))
    told.push(acting === ownUid ? "You act as host until the host is back." : `${is.get(acting)?.display_name ?? "A co-host"} acts as host until the host is back.`);
  return told;
}

/**
 * uids of those who talk.
 *
 * @param {Room} room
 * @param {readonly number[] | null} csrcs Of the latest packets; null where the
 *   browser cannot tell, which leaves the room's own word.
 * @returns {Set<string>} Nobody who is muted.
 */
export function talkers(room, csrcs) {
  const heard = csrcs
    ? room.stage.filter((member) => csrcs.includes(member.csrc)).map(({ uid }) => uid)
    : room.talking;
  const muted = new Set(room.stage.filter((member) => member.muted).map(({ uid }) => uid));
  return new Set(heard.filter((uid) => !muted.has(uid)));
}
