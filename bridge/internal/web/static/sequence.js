// How a conversation went, as rows of a sequence picture: what came, the events it
// became, what changed, and what was sent with how that ended. Everything here is a
// function of the API's trace; picture.js draws it.
import { summary } from "./content.js";

// rows of a trace, oldest first. Each is {key, kind, at, leg, label, text, outcome,
// raw}; kind is one of
//   in     a far side → the bridge     out    the bridge → a far side
//   event  a canonical event           state  the conversation stands otherwise
//   note   the bridge by itself        dead   the input became a dead letter
// outcome is {mark, text} with the mark good, wait, again, bad or calm.
export function rows({ legs = [], untold = [], turns = [] }) {
  const t = { out: [], sent: new Map(), answers: new Map(), events: new Map(), names: new Map(legs.map((l) => [l.id, l.account])) };
  for (const e of untold) addEvent(t, e, {});
  for (const turn of turns) addTurn(t, turn);
  for (const row of t.out) if (row.kind === "out") row.outcome = ended(row);
  return t.out;
}

function addTurn(t, turn) {
  const quiet = end(t, turn);
  const bare = !turn.events.length && !turn.sent.length && !turn.dead_letter && !changed(turn);
  if (turn.kind === "deliver" && bare) t.events.get(turn.given)?.unsent.add(turn.leg);
  const came = !(quiet && bare) && arrival(turn);
  if (came) t.out.push({ key: `${turn.id}/in`, leg: turn.leg, at: turn.at, ...came });
  for (const e of turn.events) addEvent(t, e, turn);
  if (changed(turn)) t.out.push({ key: `${turn.id}/state`, kind: "state", at: turn.at, label: stateText(turn), text: "", raw: { before: turn.before, after: turn.after } });
  turn.sent.forEach((s, i) => addSent(t, turn, s, i));
  if (turn.dead_letter) {
    t.out.push({ key: `${turn.id}/dead`, kind: "dead", at: turn.at, leg: turn.leg, label: "dead letter", text: turn.dead_letter.reason, outcome: { mark: "bad", text: "failed for good" }, raw: turn.dead_letter });
  }
}

const changed = ({ before = {}, after = {} }) => (before.state || "") !== (after.state || "") || (before.owner || "") !== (after.owner || "");

function stateText({ before = {}, after = {} }) {
  const parts = [];
  if (before.state !== after.state) parts.push(`${before.state || "new"} → ${after.state}`);
  if (before.owner !== after.owner) parts.push(`owner ${role(before.owner)} → ${role(after.owner)}`);
  return parts.join(", ");
}

export const role = (name) => (name ? name.replaceAll("_", " ") : "nobody");

// arrivals are the rows of why a turn was taken; deliveries have none of their own,
// for the event is there already.
const arrivals = {
  frame: (t) => ({ kind: "in", at: t.frame.received || t.at, raw: t.frame, ...frameText(t.frame), outcome: t.frame.outcome === "dead" ? { mark: "bad", text: "dead letter" } : undefined }),
  command: (t) => (t.leg ? { kind: "in", label: "through the API", text: "", raw: {} } : { kind: "note", label: "through the API", text: "", raw: {} }),
  result: (t) => ({ kind: "in", label: `answer ${endWord(t.ended || {})}`, text: brief(t.ended), raw: t.ended }),
  sent: (t) => ({ kind: "note", label: `message ${endWord(t.ended || {})}`, text: "", raw: t.ended }),
  try: () => undefined,
  written: () => undefined,
  deliver: (t) => (t.events.length && !t.dead_letter ? { kind: "in", label: "made of what it was given", text: "", raw: { given: t.given } } : undefined),
  fired: (t) => ({ kind: "note", label: `timer ${t.name}`, text: "", raw: {} }),
  expired: (t) => ({ kind: "note", label: "an answer was not given in time", text: t.ended?.reason || "", raw: t.ended }),
  lost: (t) => ({ kind: "note", label: `connection ${t.name || ""} lost`, text: "", raw: t.ended }),
  replay: (t) => ({ kind: "note", label: "dead letter replayed", text: t.name || "", raw: {} }),
  timer: (t) => ({ kind: "note", label: `deadline ${t.id.split("/")[2] || ""}`, text: "", raw: {} }),
  quiet: () => ({ kind: "note", label: "nothing more was said", text: "", raw: {} }),
  open: () => ({ kind: "note", label: "conversation opened", text: "", raw: {} }),
};

function arrival(turn) {
  const known = Object.hasOwn(arrivals, turn.kind) && (turn.kind !== "frame" || turn.frame);
  return known ? arrivals[turn.kind](turn) : { kind: "note", label: turn.kind, text: "", raw: {} };
}

function frameText(f) {
  if (f.connection === "opened") return { label: `${f.endpoint}: connected`, text: f.path || "" };
  if (f.connection === "closed") return { label: `${f.endpoint}: closed`, text: [f.reason, f.status].filter(Boolean).join(" ") };
  if (!f.endpoint) return { label: "a frame that is no longer kept", text: "" };
  return { label: [f.method, f.endpoint, f.event].filter(Boolean).join(" "), text: brief(f) };
}

// brief is bytes in one line.
function brief(has) {
  const text = has?.body !== undefined ? JSON.stringify(has.body) : has?.text || "";
  const line = text.replace(/\s+/g, " ");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}

function addEvent(t, { event, deliveries = [] }, turn) {
  const row = {
    key: event.id, kind: "event", at: event.time || turn.at, label: event.kind, who: [role(event.actor?.role), event.actor?.name].filter(Boolean).join(" "),
    text: said(event), raw: event, unsent: new Set(), deliveries: deliveries.map((d) => ({ ...d, account: t.names.get(d.leg) || d.leg })),
  };
  t.events.set(event.id, row);
  t.out.push(row);
}

function said(e) {
  const b = e.body || {};
  return summary(b.content) || b.text || b.reason || b.name || "";
}

function addSent(t, turn, s, i) {
  const row = { key: `${turn.id}/out/${i}`, kind: "out", at: turn.at, leg: turn.leg, raw: s, of: turn.given, ends: [], ...sentText(s) };
  if (s.tag) t.sent.set(`${turn.id} ${s.tag}`, row);
  if (s.kind === "answer") t.answers.set(s.frame, row);
  t.out.push(row);
}

function sentText(s) {
  switch (s.kind) {
    case "call": return { label: `${s.method} ${path(s.url)}`, text: brief(s) };
    case "answer": return { label: `answer ${s.status}`, text: brief(s) };
    case "dial": return { label: `connect ${path(s.url)}`, text: "" };
    case "close": return { label: `close ${s.connection || ""}`, text: s.status ? String(s.status) : "" };
    default: return { label: `message on ${s.connection || "its connection"}`, text: brief(s) };
  }
}

// path is an address without its host and query, for the picture; details have it
// whole.
function path(url) {
  try {
    return new URL(url).pathname;
  } catch {
    return url || "";
  }
}

// end notes at what was sent how it went on; false where the turn is about
// nothing that was sent.
function end(t, turn) {
  if (turn.kind === "written") {
    const row = t.answers.get(turn.frame?.id);
    row?.ends.push({ at: turn.at, kind: turn.kind, reason: turn.ended?.reason });
    return true;
  }
  if (!["try", "result", "sent"].includes(turn.kind)) return false;
  const row = t.sent.get(`${turn.ended?.turn} ${turn.ended?.tag}`);
  row?.ends.push({ at: turn.at, kind: turn.kind, ...turn.ended });
  return !!row;
}

const words = { refused: "no connection", unknown: "no answer", breaker_open: "breaker open", timeout: "not sent in time", not_allowed: "not allowed", too_large: "answer too large", cancelled: "given up", written: "sent", unsent: "not sent" };

const endWord = (e) => (e.reason ? (Object.hasOwn(words, e.reason) ? words[e.reason] : e.reason) : String(e.status || ""));

// ended is how what was sent went: its last end, and the tries before.
function ended(row) {
  const last = row.ends.at(-1);
  const tries = row.ends.filter((e) => e.kind === "try").map(endWord);
  if (!last) return row.raw.kind === "call" ? { mark: "wait", text: "under way" } : { mark: "calm", text: "" };
  if (last.kind === "try") return { mark: "again", text: `tried again after ${tries.join(", ")}` };
  const took = Math.max(0, new Date(last.at) - new Date(row.at));
  const good = last.kind === "result" ? !last.reason && last.status < 400 : last.reason === "written";
  const text = [endWord(last), `in ${took < 1000 ? `${took} ms` : `${(took / 1000).toFixed(1)} s`}`, tries.length ? `after ${tries.join(", ")}` : "", last.maybe_duplicate ? "maybe twice" : ""];
  return { mark: good ? (tries.length ? "again" : "good") : "bad", text: text.filter(Boolean).join(" ") };
}

const marks = new Map([["delivered", "good"], ["failed", "bad"], ["dead", "bad"], ["refused", "bad"]]);

// chips are where an event went, as texts with their marks.
export function chips(row) {
  return (row.deliveries || []).map((d) => ({
    mark: marks.get(d.outcome) || "calm",
    text: [d.outcome === "refused" ? "refused" : `→ ${d.account} ${d.outcome}`, d.reason, row.unsent?.has(d.leg) ? "nothing sent" : "", d.maybe_duplicate ? "maybe twice" : ""].filter(Boolean).join(", "),
  }));
}

// lanes are the legs as the picture has them: who holds or stands for the customer
// on the left, people and observers on the right.
export function lanes(legs = []) {
  const left = (l) => l.role === "customer" || l.role === "virtual_agent";
  return { left: legs.filter(left), right: legs.filter((l) => !left(l)) };
}

// clock is a time of day to the millisecond.
export function clock(iso) {
  const t = new Date(iso);
  if (!iso || Number.isNaN(t.getTime())) return "";
  const two = (n) => String(n).padStart(2, "0");
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, "0")}`;
}

// sentence is a row in words, for those who do not see the picture.
export function sentence(row, names) {
  const far = names.get(row.leg) || "the bridge";
  const where = { in: `${far} to Footbridge: `, out: `Footbridge to ${far}: `, event: `event, ${row.who}: `, state: "state: ", dead: `${far}: `, note: "Footbridge: " }[row.kind];
  const ends = chips(row).map((c) => c.text.replace("→ ", "to "));
  return [`${clock(row.at)} ${where}${row.label}`, row.text, row.outcome?.text, ...ends].filter(Boolean).join(", ");
}

const escapes = { "#": "#35;", ";": "#59;", "<": "#lt;", ">": "#gt;" };
const safe = (text) => text.replace(/[#;<>]/g, (c) => escapes[c]).replace(/[\s\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ").trim();

// mermaid is the picture as text of a Mermaid sequence diagram.
export function mermaid({ legs = [] }, all) {
  const { left, right } = lanes(legs);
  const party = (l) => `    participant L${l.id} as ${safe(`${l.account} (${role(l.role)})`)}`;
  const lines = ["sequenceDiagram", ...left.map(party), "    participant F as Footbridge", ...right.map(party)];
  for (const row of all) {
    const text = safe([clock(row.at), row.who, row.label, row.text, row.outcome?.text, ...chips(row).map((c) => c.text)].filter(Boolean).join(" "));
    const far = `L${row.leg}`;
    if (row.kind === "in") lines.push(`    ${far}->>F: ${text}`);
    else if (row.kind === "out") lines.push(`    F${row.outcome?.mark === "bad" ? "-x" : "->>"}${far}: ${text}`);
    else lines.push(`    Note over F: ${text}`);
  }
  return `${lines.join("\n")}\n`;
}
