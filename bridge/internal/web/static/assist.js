// What the assistant makes of the talk, as groups for the panel: the reply it
// suggests, moods over time, tasks, who it is, and the process they are in.
import { el, timeText } from "./dom.js";
import { flat, inPanel, moodOf, pairs, sentence, spaced } from "./insight.js";

// assistGroups are [head, face, draw] for each group there is something in; a
// group is drawn anew when its face has changed.
export function assistGroups(story) {
  const known = story.now.insights;
  const latest = (type) => known.latest.get(type);
  const analysis = latest("analysis");
  return [
    ["Suggested reply", known.suggestion, () => suggestion(known.suggestion)],
    ["Mood", known.moods.length && [known.moods, feelings(analysis)], () => moods(known.moods, analysis)],
    ["Tasks", (analysis?.tasks || analysis?.next_task || analysis?.remaining_tasks) && [analysis.tasks, analysis.remaining_tasks, analysis.next_task], () => tasks(analysis)],
    ["Who it is", whoRows(latest), () => listed(whoRows(latest))],
    ["Process", known.flows.size && [...known.flows.values()], () => [...known.flows.values()].map(flow)],
    ["Talk so far", latest("summary")?.text, () => [el("p", { className: "said-first" }, latest("summary").text)]],
    ["Assistant", otherRows(known, analysis), () => listed(otherRows(known, analysis))],
  ].filter(([, face]) => (Array.isArray(face) ? face.length : face));
}

// ownFields are those of an analysis that have a group.
const ownFields = ["customer_sentiment", "agent_sentiment", "customer_emotions", "customer_angry", "tasks", "remaining_tasks", "next_task", "suggested_reply"];

function otherRows(known, analysis = {}) {
  const more = Object.entries(analysis).filter(([name]) => !ownFields.includes(name)).map(([name, value]) => [spaced(name), flat(value)]);
  return [...more, ...[...known.latest].filter(([type]) => !inPanel.includes(type)).map(([type, fields]) => [spaced(type), pairs(fields).join("; ")])];
}

// listed draws rows of names and values.
export const listed = (rows) => [el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]))];

function suggestion({ text }) {
  return [el("p", { className: "said-first", id: "suggested" }, text), el("div", { className: "acts" },
    el("button", { type: "button", className: "primary", id: "suggest-insert" }, "Use it"),
    el("button", { type: "button", id: "suggest-dismiss" }, "Dismiss"))];
}

const feelings = (a) => [a?.customer_emotions, a?.customer_angry];

function moods(all, analysis) {
  const told = all.filter((m) => m.customer);
  const now = told.at(-1)?.customer;
  const rows = [["Customer", now && sentence(now)], ["Agent", sentence(all.findLast((m) => m.agent)?.agent)],
    ["Emotions", (analysis?.customer_emotions || []).map(spaced).join(", ")], ["Angry", analysis?.customer_angry ? "Yes" : ""]].filter(([, v]) => v);
  return [curve(told), ...listed(rows)];
}

const [width, height, edge] = [240, 44, 5];

// curve draws the customer's moods from the first to the last; words say the same.
function curve(told) {
  const points = told.map((m) => ({ ...m, level: moodOf(m.customer) })).filter((m) => m.level !== undefined).slice(-60);
  if (points.length < 2) return "";
  const x = (i) => edge + (i * (width - 2 * edge)) / (points.length - 1);
  const y = (level) => height / 2 - level * (height / 2 - edge);
  const says = points.slice(-6).map((m) => `${sentence(m.customer)} at ${timeText(m.time)}`).join(", ");
  const picture = drawn("svg", { viewBox: `0 0 ${width} ${height}`, class: "curve", role: "img", "aria-label": `Mood over time: ${says}` },
    drawn("line", { x1: 0, x2: width, y1: height / 2, y2: height / 2, class: "middle" }),
    drawn("polyline", { points: points.map((m, i) => `${x(i).toFixed(1)},${y(m.level).toFixed(1)}`).join(" ") }),
    drawn("circle", { cx: x(points.length - 1), cy: y(points.at(-1).level), r: 3.5 }));
  return picture;
}

function drawn(tag, attributes, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// tasks are as the source has them: an object of name and state, or of key and
// value, or a text.
function tasks({ tasks: all = [], remaining_tasks: remaining, next_task: next }) {
  const rows = (all.length ? all : remaining || []).flatMap(parts);
  const open = new Set((remaining || []).flatMap(parts).map(([name]) => name));
  const items = rows.map(([name, state]) => {
    const done = remaining ? !open.has(name) : /done|complete|closed|true/i.test(state);
    return el("li", { className: done ? "done" : "", "aria-current": name === next ? "step" : undefined }, `${done ? "✓" : "○"} ${spaced(name)}`, state ? el("span", { className: "quiet" }, ` ${spaced(state)}`) : "");
  });
  return [el("ul", { className: "tasks" }, ...items), next ? el("p", { className: "small" }, `Next: ${spaced(next)}`) : ""];
}

function parts(task) {
  if (!task || typeof task !== "object") return [[String(task), ""]];
  if (task.key !== undefined) return [[String(task.key), task.value === undefined ? "" : flat(task.value)]];
  return Object.entries(task).map(([name, state]) => [name, flat(state)]);
}

function whoRows(latest) {
  const [v, voice, synthetic, number] = ["verification", "voice", "tts", "caller_number"].map((t) => latest(t) || {});
  const { agent_text: says, display_text: shows, label, status, risk, ...scores } = v;
  const { number: caller, trust, ...about } = number;
  return [
    ["Verified", [label, status].filter(Boolean).map(sentence).join(", ")], ["Advice", says || shows], ["Risk", risk && sentence(risk)],
    ["Caller", caller], ["Number trust", trust === undefined ? "" : `${trust} of 100`], ...Object.entries(about).map(([n, x]) => [sentence(n), flat(x)]),
    ["Synthetic voice", synthetic.label && sentence(synthetic.label)],
    ...[...Object.entries(scores), ...Object.entries(voice).map(([n, x]) => [`voice ${n}`, x])].map(([n, x]) => [sentence(n), flat(x)]),
  ].filter(([, value]) => value !== undefined && value !== "");
}

function flow({ id, status, intent, entities = [] }) {
  return el("div", { className: "flow" }, el("b", {}, spaced(intent || id || "Process")), status ? el("span", { className: "quiet" }, ` · ${sentence(status)}`) : "",
    ...listed(entities.flatMap(parts).map(([name, value]) => [spaced(name), value])));
}
