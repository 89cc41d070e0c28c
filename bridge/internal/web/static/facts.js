// The panel beside a conversation: what the assistant makes of it, and what is
// known of it.
import { assistGroups, listed } from "./assist.js";
import { agentOf } from "./board.js";
import { el, setText, timeText } from "./dom.js";
import { lacks } from "./far.js";
import { spaced } from "./insight.js";
import { stateText } from "./lists.js";

const loudness = "sound-level";

// drawFacts fills the panel; a group is redrawn only when something in it has
// changed. How loud it is changes all the time, and has its own words changed.
export function drawFacts(panel, row, story, board, levels) {
  const now = story.now;
  const rows = (head, record) => [head, Object.entries(record).filter(([, value]) => value), () => listed(Object.entries(record).filter(([, value]) => value))];
  const groups = [
    ["Summary", row.summary || now.summary, () => [el("p", { className: "said-first" }, row.summary || now.summary)]],
    ...assistGroups(story),
    ["Sound", !!story.sound, () => [el("dl", {}, el("dt", {}, "Level"), el("dd", { id: loudness }))]],
    rows("Context", Object.fromEntries(Object.entries({ ...now.attributes, ...row.attributes }).map(([name, value]) => [spaced(name), value]))),
    rows("Conversation", {
      State: stateText(row, board), Agent: row.agent?.name || agentOf(row), Queue: row.queue || now.queue, Reason: row.reason || now.reason,
      Waiting: row.position ? `no. ${row.position}` : "", Language: row.language || now.language, Route: row.route, Since: timeText(row.created),
    }),
    ["Their side", lacks(levels), () => [el("ul", { className: "lacks" }, ...lacks(levels).map((text) => el("li", {}, text)))]],
    rows("Connected", Object.fromEntries((row.legs || []).map((l) => [l.account, `${l.role.replace("_", " ")}${l.detached ? ", left" : ""}`]))),
    ["Ids", [row.id, row.customer?.id], () => [id("Conversation", row.id), id("Customer", row.customer?.id)]],
  ].filter(([, face]) => (Array.isArray(face) ? face.length : face));
  panel.dataset.of = row.id;
  refill(panel, row.id, groups);
  const level = panel.querySelector(`#${loudness}`);
  if (level) setText(level, story.loudness() || "–");
}

// refill keeps the groups whose face is the same, so that what is being pressed or
// read stays.
function refill(panel, row, groups) {
  const kept = new Map([...panel.querySelectorAll("section")].map((s) => [s.dataset.head, s]));
  let at = panel.querySelector("section");
  for (const [head, what, draw] of groups) {
    const face = JSON.stringify([row, what]);
    let node = kept.get(head);
    kept.delete(head);
    if (node?.dataset.face !== face) {
      const fresh = el("section", {}, el("h2", {}, head), ...draw());
      Object.assign(fresh.dataset, { head, face });
      if (at === node) at = node?.nextElementSibling ?? null;
      node?.replaceWith(fresh);
      node = fresh;
    }
    if (node === at) at = at.nextElementSibling;
    else panel.insertBefore(node, at);
  }
  for (const node of kept.values()) node.remove();
}

// id shows an id on one line, with a button that copies it.
function id(name, value) {
  if (!value) return "";
  const copy = el("button", { type: "button", className: "plain small", "aria-label": `Copy the id of the ${name.toLowerCase()}` }, "Copy");
  copy.addEventListener("click", async () => {
    const done = await navigator.clipboard?.writeText(value).then(() => true, () => false);
    setText(copy, done ? "Copied" : "Not copied");
  });
  return el("div", { className: "id" }, el("span", { className: "quiet" }, name), el("code", { title: value }, value), copy);
}
