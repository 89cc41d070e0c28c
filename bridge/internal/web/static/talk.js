// The lines of a conversation on the page: words, facts, what was said before,
// and words still on their way.
import { body } from "./content.js";
import { dayText, el, own, sync, timeNode } from "./dom.js";
import { t } from "./words.js";

const together = 3 * 60 * 1000; // words this close of one author share a head

// lines lists what is shown of a story. view says how:
//   mine(e)      is this event the reader's own?
//   name(actor)  what an author is called
//   facts        kind → (body, event, name) → text of a line, or "" for none
//   past         show the transcript a hand-off brought along
//   answerable   the reader may answer choices and forms
//   days         begin each day with a line of its own
//   speaks()     may the reader say something now?
// events are those to show where it is not the whole story; a part that does not
// reach the end goes with ends false.
export function lines(story, pending, view, { events = story.ordered, ends = true } = {}) {
  const out = [];
  const lost = new Set(view.speaks() ? undelivered(story, pending, view.mine) : []);
  for (const e of events) {
    if (e.kind === "message.created" || e.kind === "note.created") out.push({ ...word(story, e, view), lost: lost.has(e) });
    else out.push(...other(e, view));
  }
  if (!ends) return finished(out, view);
  for (const s of story.streams.values()) out.push({ ...bare(s, view), key: s.id, live: true, content: { type: "text", text: s.text, format: "plain" } });
  for (const p of pending) out.push(waiting(p, view));
  if (view.answerable) openLast(out);
  return finished(out, view);
}

function finished(out, view) {
  join(out);
  return view.days ? daily(out) : out;
}

// undelivered are the reader's own words that failed on their way to the far side,
// and were not said once more since.
export function undelivered(story, pending, mine) {
  const { failed } = story.now;
  if (!failed.size) return [];
  const since = new Set(pending.map((p) => JSON.stringify(p.body.body.content)));
  return story.ordered.filter((e) => e.kind === "message.created" && mine(e)).reverse().filter((e) => {
    const content = JSON.stringify(e.body.content);
    const is = failed.has(e.id) && !since.has(content);
    since.add(content);
    return is;
  }).reverse();
}

// daily puts a line before the first of each day.
function daily(out) {
  let day = "";
  return out.flatMap((item) => {
    const that = item.time ? dayText(item.time) : day;
    if (that === day) return [item];
    day = that;
    item.same = false;
    return [{ type: "day", key: `day-${item.key}`, text: day }, item];
  });
}

// tells says whether an event may have a line of its own in a view.
export function tells(e, view) {
  return e.kind === "message.created" || e.kind === "note.created" || Object.hasOwn(view.facts, e.kind) || !!view.past && e.kind === "transcript.shared";
}

function bare(e, view) {
  return { type: "word", role: e.actor.role, author: view.name(e.actor), who: `${e.actor.role}/${e.actor.id || ""}/${e.actor.name || ""}`, mine: view.mine(e), time: e.time, avatar: e.actor.avatar };
}

function word(story, e, view) {
  const note = e.kind === "note.created";
  const mark = view.mine(e) && !note ? story.mark(e) : failure(story.mark(e));
  const content = note ? { type: "text", text: e.body.text } : e.body.content;
  return { ...bare(e, view), key: e.id, content, note, mark, cut: e.body.incomplete };
}

const failure = (mark) => (mark.state === "failed" ? mark : undefined);

function other(e, view) {
  const out = [];
  const entries = e.kind === "transcript.shared" ? e.body.entries : e.body?.transcript;
  const before = (entries || []).filter((x) => !x.event);
  if (view.past && before.length) out.push({ type: "past", key: `past-${e.id}`, entries: before });
  const text = own(view.facts, e.kind)?.(e.body || {}, e, view.name);
  if (text) out.push({ type: "fact", key: e.id, text, time: e.time });
  return out;
}

// waiting is a word that the bridge has not confirmed.
function waiting(p, view) {
  const note = p.body.kind === "note.created";
  return {
    type: "word", key: `pending-${p.key}`, role: view.role, author: view.self, who: "self", mine: true, time: p.at, note, pending: !p.failed,
    content: note ? { type: "text", text: p.body.body.text } : p.body.body.content,
    mark: p.failed ? { state: "failed", reason: p.failed, item: p } : { state: "sending" },
  };
}

// join lets neighbouring words of one author share a head, and leaves the mark
// of a run of the same marks to its last word.
function join(out) {
  out.forEach((item, i) => {
    const before = out[i - 1];
    item.same = !!before && item.type === "word" && before.type === "word" && (before.who === item.who || before.mine && item.mine)
      && !item.note && !before.note && new Date(item.time) - new Date(before.time) < together;
    if (item.same && before.mark && before.mark.state === item.mark?.state && item.mark.state !== "failed") before.mark = undefined;
  });
}

// openLast lets the last word be answered, if it is not the reader's own.
function openLast(out) {
  const last = out.findLast((item) => item.type === "word");
  if (last && !last.mine) last.open = true;
}

// draw brings an element's children up to the lines. hands is {act, again(item),
// discard(item), resend(content), name, file(blob)}, and face(item) where authors
// have pictures. A mark changes by itself, so that nobody is read a word again that
// has arrived.
export function draw(parent, items, hands) {
  sync(parent, items, {
    key: (item) => item.key,
    face: ({ time, mark, lost, ...item }) => item,
    make: (item) => shapes[item.type](item, hands),
  });
  const known = new Map(items.map((item) => [item.key, item]));
  for (const node of parent.children) remark(node, known.get(node.dataset.key), hands);
}

function remark(node, item, hands) {
  const m = item.mark;
  const look = m ? JSON.stringify([m.state, m.reason, item.lost]) : "";
  if ((node.dataset.mark || "") === look) return;
  node.dataset.mark = look;
  node.querySelector(":scope > .way")?.remove();
  node.classList.toggle("failed", m?.state === "failed");
  if (m) node.append(mark(m, hands, item));
}

const shapes = {
  day: (item) => el("h3", { className: "day" }, item.text),
  fact: (item) => el("div", { className: "fact" }, item.text, " ", timeNode(item.time)),
  past: (item, hands) => el("section", { className: "past" }, el("h3", {}, "Said before"),
    ...item.entries.map((x) => bubble({ role: x.actor.role, author: hands.name(x.actor), time: x.time, content: x.content }, hands))),
  word: (item, hands) => bubble(item, hands),
};

function bubble(item, hands) {
  const classes = ["word", item.role, item.mine && "mine", item.same && "same", item.note && "note", item.pending && "pending",
    item.live && "live"];
  return el("article", { className: classes.filter(Boolean).join(" "), "aria-hidden": item.live ? "true" : undefined },
    item.same ? "" : el("div", { className: "who" }, hands.face?.(item), el("b", {}, item.note ? `${item.author} · private note` : item.author), timeNode(item.time)),
    body(item.content, item.open ? hands.act : undefined, hands.file),
    item.cut ? el("div", { className: "mark" }, t("cut_off")) : "");
}

function mark(m, hands, item) {
  const text = m.reason ? `${t(m.state)}: ${m.reason}` : t(m.state);
  const node = el("div", { className: "mark way", "aria-live": m.state === "failed" ? undefined : "off" }, text);
  if (m.item) {
    node.append(" ", button(t("retry"), () => hands.again(m.item)), button(t("discard"), () => hands.discard(m.item)));
  } else if (item.lost) {
    node.append(" ", button(t("retry"), () => hands.resend(item.content)));
  }
  return node;
}

function button(text, press) {
  const b = el("button", { type: "button", className: "plain small" }, text);
  b.addEventListener("click", press);
  return b;
}
