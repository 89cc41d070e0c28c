// The panel beside a conversation: what is known of it.
import { agentOf } from "./board.js";
import { el, setText, timeText } from "./dom.js";
import { insightRows } from "./insight.js";
import { stateText } from "./lists.js";

const loudness = "sound-level";

// drawFacts fills the panel; it is redrawn only when something in it changed. How
// loud it is changes all the time, and has its own words changed.
export function drawFacts(panel, row, story, board) {
  const now = story.now;
  const groups = [
    ["Summary", row.summary || now.summary],
    ["Conversation", rows({
      State: stateText(row, board), Agent: row.agent?.name || agentOf(row), Queue: row.queue || now.queue, Reason: row.reason || now.reason,
      Waiting: board.places.has(row.id) ? `no. ${board.places.get(row.id)}` : "", Route: row.route, Since: timeText(row.created), Id: row.id,
    })],
    ["Assistant", [...(story.sound ? [["sound level", "", loudness]] : []), ...insightRows(now.insights)]],
    ["Customer", rows({ Name: row.customer?.name || now.customer.name, Id: row.customer?.id, Language: row.language || now.language })],
    ["Attributes", rows({ ...now.attributes, ...row.attributes })],
    ["Connected", rows(Object.fromEntries((row.legs || []).map((l) => [l.account, `${l.role.replace("_", " ")}${l.detached ? ", left" : ""}`])))],
  ].filter(([, what]) => what?.length);
  const face = JSON.stringify([row.id, groups]);
  if (panel.dataset.face !== face) fill(panel, groups, face);
  if (story.sound) setText(panel.querySelector(`#${loudness}`), story.loudness() || "–");
}

function fill(panel, groups, face) {
  panel.dataset.face = face;
  const close = el("button", { type: "button", className: "plain more-button", id: "close-facts" }, "Close");
  panel.replaceChildren(close, ...groups.flatMap(([head, what]) => [el("h2", {}, head), group(what)]));
}

const rows = (record) => Object.entries(record).filter(([, value]) => value);

function group(what) {
  if (typeof what === "string") return el("p", { className: "said-first" }, what);
  return el("dl", {}, ...what.flatMap(([name, value, id]) => [el("dt", {}, name), el("dd", { id: id || "" }, String(value))]));
}
