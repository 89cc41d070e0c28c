// The lists of the desk: who waits, who left a message, and my conversations.
import { agentOf } from "./board.js";
import { summary } from "./content.js";
import { ageText, el, setText, sync } from "./dom.js";

// customerName is what a customer is called.
export function customerName(row, story) {
  return row?.customer?.name || story?.now.customer.name || `Customer ${(row?.id || "").slice(-4).toLowerCase()}`;
}

const words = {
  "": "", requested: "arriving", queued: "in the queue", offered: "being offered", active: "with you", returning: "going back", ended: "ended", automated: "with the virtual agent",
};

// stateText says where a conversation stands, seen by one agent.
export function stateText(row, board) {
  if (board.isLeft(row)) return row.state === "ended" ? "left a message, ended" : "left a message";
  if (board.offeredToMe(row)) return "offered to you";
  if (row.state === "active" && agentOf(row) !== board.agent) return `with ${row.agent?.name || agentOf(row) || "somebody else"}`;
  if (agentOf(row) === board.agent && row.state === "queued") return "being passed on";
  return words[row.state] ?? row.state;
}

// listen has a list's buttons call the act of their role with the row's id.
export function listen(parent, acts) {
  parent.addEventListener("click", (e) => {
    const button = e.target.closest("button");
    if (button) acts[button.dataset.role](button.closest("li").dataset.key);
  });
}

const step = 40; // rows added when the end of the list comes near

// Line is a list that may be long. Of many rows only the first are on the page,
// until somebody goes there.
class Line {
  // all gives the rows, acts the buttons of one; look is what else one looks like,
  // extra a class it has.
  constructor(parent, board, redraw, { all, acts, look, extra }) {
    Object.assign(this, { parent, board, all, acts, look, extra, shown: step });
    parent.addEventListener("scroll", () => {
      if (parent.scrollHeight - parent.scrollTop - parent.clientHeight > 600 || this.shown >= all().length) return;
      this.shown += step;
      redraw();
    }, { passive: true });
  }

  // reach has a row on the page.
  reach(id) { this.shown = Math.max(this.shown, this.all().findIndex((row) => row.id === id) + step / 2); }

  // draw brings the list up to date. live tells whether anything can be done now.
  draw(chosen, live) {
    const { parent, board, acts, look, extra } = this;
    const face = `${board.stamp} ${chosen} ${live} ${this.shown}`;
    if (face === this.face) return;
    this.face = face;
    const rows = this.all().slice(0, this.shown);
    sync(parent, rows, {
      inPlace: true,
      key: (row) => row.id,
      face: (row) => [faceOf(row, board), chosen === row.id, look(row), live],
      make: (row) => item(row, board, { chosen, extra: extra(row), acts: el("div", { className: "acts" }, ...acts(row, live)) }),
    });
    rows.forEach((row, i) => setText(parent.children[i].querySelector("[data-place]"), place(row)));
  }
}

// waitingLine is the list of those who wait.
export function waitingLine(parent, board, redraw) {
  return new Line(parent, board, redraw, {
    all: () => board.waiting(),
    look: (row) => [board.offeredToMe(row), board.mayTake(row)],
    extra: (row) => (board.offeredToMe(row) ? "offered" : ""),
    acts(row, live) {
      const disabled = !live || !board.mayTake(row);
      return [press("accept", "Accept", { className: "primary", disabled }), press("decline", "Decline", { disabled })];
    },
  });
}

// leftLine is the list of those who left a message.
export function leftLine(parent, board, redraw) {
  return new Line(parent, board, redraw, {
    all: () => board.left(),
    look: (row) => unread(row, board),
    extra: () => "",
    acts: (row, live) => [board.mayAnswer(row) ? press("answer", "Answer", { className: "primary", disabled: !live }) : "", press("done", "Done", { disabled: !live })],
  });
}

// place is where somebody stands in their queue. It changes for all when one is
// taken, and is no reason to draw them anew.
const place = (row) => (row.position ? `no. ${row.position}` : "");

// drawMine brings the list of my conversations up to date.
export function drawMine(parent, board, chosen) {
  sync(parent, board.mine(), {
    inPlace: true,
    key: (row) => row.id,
    face: (row) => [faceOf(row, board), chosen === row.id, unread(row, board)],
    make(row) {
      const gone = over(row, board);
      const acts = gone ? el("div", { className: "acts" }, press("close", "Close", {})) : "";
      return item(row, board, { chosen, acts, extra: "" });
    },
  });
}

// over tells whether nothing more happens in a conversation that is still shown.
export const over = (row, board) => row.state === "ended" || !board.isMine(row) && agentOf(row) !== board.agent;

function unread(row, board) {
  const story = board.stories.get(row.id);
  return board.isMine(row) && story?.unread() || board.isLeft(row) && story?.left() || 0;
}

// unreadAll is how many words wait to be read.
export function unreadAll(board) {
  return board.mine().reduce((n, row) => n + unread(row, board), 0);
}

function faceOf(row, board) {
  const story = board.stories.get(row.id);
  return [row.state, row.queue, row.language, customerName(row, story), row.reason, row.summary, board.since(row), story?.lastSaid()?.id, stateText(row, board)];
}

function press(role, text, props) {
  const b = el("button", { type: "button", ...props }, text);
  b.dataset.role = role;
  return b;
}

function item(row, board, { chosen, acts, extra }) {
  const story = board.stories.get(row.id);
  const n = unread(row, board);
  const opener = el("button", { type: "button", className: "open", "aria-current": chosen === row.id ? "true" : undefined },
    el("span", { className: "first" }, el("span", { className: "name" }, customerName(row, story)), n ? badge(n) : "", age(board.since(row), row, story)),
    el("span", { className: "said" }, saying(row, story)),
    el("span", { className: "tags" }, ...tags(row, board).map((t) => el("span", {}, t)), where(row)));
  opener.dataset.role = "open";
  return el("li", { className: ["item", chosen === row.id && "chosen", extra].filter(Boolean).join(" ") }, opener, acts);
}

function badge(n) {
  return el("span", { className: "unread", "aria-label": `${n} unread` }, String(n));
}

// saying is the one line that tells what it is about.
function saying(row, story) {
  if (row.left) return summary(story?.now.heard?.body.content);
  const last = summary(story?.lastSaid()?.body.content);
  if (row.state === "active" || row.state === "returning" || row.state === "ended") return last || row.summary || row.reason || "";
  return row.summary || last || row.reason || "";
}

function tags(row, board) {
  const state = board.isLeft(row) ? row.state === "ended" && words.ended : stateText(row, board);
  return [state, row.reason, row.queue && `queue ${row.queue}`, row.language].filter(Boolean);
}

function where(row) {
  const node = el("span", {}, ["requested", "queued", "offered"].includes(row.state) ? place(row) : "");
  node.dataset.place = "";
  return node;
}

function age(since, row, story) {
  const at = !row.left && ["active", "returning", "ended"].includes(row.state) ? story?.lastSaid()?.time || since : since;
  const node = el("time", { className: "small quiet", dateTime: at || "" }, at ? ageText(at) : "");
  node.dataset.age = at || "";
  return node;
}

// tick keeps the ages right while nothing else happens.
export function tick(root) {
  for (const node of root.querySelectorAll("[data-age]")) if (node.dataset.age) setText(node, ageText(node.dataset.age));
}
