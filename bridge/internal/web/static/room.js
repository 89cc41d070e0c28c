// The conversation that is open at the desk: transcript, compose box, wrap-up.
import { atEnd, byId, drafts, grow, onEnter, setText, show } from "./dom.js";
import { drawFacts } from "./facts.js";
import { before, carried, file, lacks } from "./far.js";
import { offer } from "./files.js";
import { answered, insightText, spaced } from "./insight.js";
import { customerName, over, stateText } from "./lists.js";
import { Pane } from "./pane.js";
import { Replies } from "./replies.js";
import { Keyboard, Receipts } from "./signals.js";
import { undelivered } from "./talk.js";

const eventsOf = (id) => `/conversations/${encodeURIComponent(id)}/events`;

// Room shows one conversation at a time and speaks in it for one agent.
export class Room {
  // accounts gives the accounts, to know what their far sides carry.
  constructor(board, outbox, { actor, toast, chosen, accounts }) {
    Object.assign(this, { board, outbox, actor, toast, chosen, accounts });
    this.receipts = new Map();
    this.used = new Map(); // suggestions taken into the words, by conversation
    this.pane = new Pane(byId("scroll"), byId("talk"), { view: this.view, hands: this.hands, moved: () => this.#moved() });
    this.#wire();
  }

  // say sends an event of this agent. Words are kept until they have arrived.
  say(kind, body, { id = this.id, keep = false } = {}) {
    return this.outbox.add(eventsOf(id), { kind, actor: this.actor, body }, { keep });
  }

  // command is say for what may be refused: the refusal is shown.
  async command(kind, body, options) {
    try {
      await this.say(kind, body, options);
      return true;
    } catch (problem) {
      this.toast(problem.advice || problem.message);
      this.board.look(options?.id || this.id);
      return false;
    }
  }

  // open turns to another conversation; "" closes the room. write goes straight
  // to the words.
  open(id, { write = true } = {}) {
    if (id === this.id) this.paint();
    else this.#turnTo(id);
    if (id && write && matchMedia("(min-width: 721px)").matches) byId("text").focus();
  }

  #turnTo(id) {
    this.keyboard?.stop();
    this.id = id;
    this.keyboard = new Keyboard((kind, body) => this.live.say({ conversation: id, kind, actor: this.actor, body }));
    this.pane.open();
    this.replies.close();
    byId("text").value = id ? drafts.get(id) : "";
    this.#noting(false);
    byId("wrapup").reset();
    this.details(false);
    if (id) this.board.read(id).catch((problem) => this.toast(problem.message));
    this.chosen(id);
    this.paint();
    if (id) grow(byId("text"));
  }

  get row() { return this.board.rows.get(this.id); }

  get story() { return this.board.story(this.id); }

  // holds tells whether the agent has the open conversation now.
  get holds() { return this.board.isMine(this.row) && this.row.state === "active"; }

  // passing tells whether the agent is passing it on and nobody has taken it yet.
  get passing() { return !!this.row && this.board.isPassing(this.row); }

  get levels() { return carried(this.row, this.accounts()); }

  // paint brings the room up to what the board knows.
  paint() {
    const { row } = this;
    byId("desk").classList.toggle("talking", !!row); // on a phone the room has the screen while there is one
    for (const part of ["room-top", "scroll", "typing"]) show(byId(part), !!row);
    show(byId("empty"), !row);
    show(byId("facts"), !!row);
    if (!row) return [byId("compose"), byId("wrapup"), byId("newest")].forEach((part) => show(part, false));
    const { story } = this;
    const ended = row.state === "ended";
    show(byId("compose"), !ended && !this.board.isLeft(row));
    show(byId("wrapup"), ended && !story.now.wrapped && story.complete && this.board.held.has(this.id));
    this.#head(row, story);
    this.pane.draw(story, this.outbox.on(eventsOf(this.id)));
    this.#moved();
    drawFacts(byId("facts"), row, story, this.board, this.levels);
  }

  #head(row, story) {
    setText(byId("room-name"), customerName(row, story));
    setText(byId("room-standing"), stateText(row, this.board));
    const waits = this.board.mayTake(row);
    for (const act of ["act-accept", "act-decline"]) show(byId(act), waits);
    show(byId("act-answer"), this.board.mayAnswer(row));
    show(byId("act-done"), this.board.isLeft(row));
    for (const act of ["act-transfer", "act-end"]) show(byId(act), this.holds);
    show(byId("act-withdraw"), this.passing);
    show(byId("act-handback"), this.holds && this.returns);
    const typist = story.typists().find((a) => a.role === "customer");
    setText(byId("typing"), typist ? `${customerName(row, story)} is writing…` : "");
    this.#compose(row);
  }

  // returns tells whether there is a virtual agent to hand back to.
  get returns() { return (this.row?.legs || []).some((l) => l.role === "virtual_agent"); }

  #compose(row) {
    const noting = byId("note").checked;
    const able = noting || this.holds || this.board.mayTake(row);
    byId("text").disabled = byId("send").disabled = !able;
    byId("attach").disabled = !able || noting || !file(this.levels).may;
    setText(byId("send"), noting ? "Add note" : "Send");
    byId("text").placeholder = noting ? "Write a note for the people at the desk" : this.holds ? "Write a message" : able ? "Write a message: sending it accepts" : row.state === "ended" ? "The conversation has ended" : "Somebody else has the conversation";
    this.#warn();
  }

  // #warn says what the far side does not carry: of the words being written, else
  // of anything.
  #warn() {
    if (byId("note").checked) return setText(byId("far"), "");
    setText(byId("far"), before(this.levels, byId("text").value) || (this.holds ? lacks(this.levels).join(" ") : ""));
  }

  // #moved tells the bridge what has been displayed to the one who has the
  // conversation.
  #moved() {
    const { row, story } = this;
    show(byId("newest"), !!row && !this.pane.follows && story.ordered.length > 0);
    if (!this.holds || !story.complete) return;
    if (!this.receipts.has(this.id)) {
      const { id } = this;
      this.receipts.set(id, new Receipts((kind, body) => {
        if (kind === "message.read") this.say(kind, body, { id }).catch(() => {});
      }, (facts) => facts.readByOthers));
    }
    const visible = document.visibilityState === "visible" && document.hasFocus() && this.pane.follows && atEnd(byId("scroll"));
    this.receipts.get(this.id).seen(story, { visible, from: (e) => e.actor.role === "customer" });
  }

  mine = (e) => e.actor.role === "live_agent" && e.actor.id === this.actor.id;

  name = (actor) => {
    if (actor.role === "customer") return actor.name || customerName(this.row, this.story);
    const fallback = { virtual_agent: "Virtual agent", live_agent: "Agent", system: "Footbridge", observer: "Assistant" };
    return actor.name || (actor.role === "live_agent" && actor.id) || fallback[actor.role] || actor.role;
  };

  view = {
    mine: this.mine, name: this.name, self: "You", role: "live_agent", past: true, days: true, speaks: () => this.holds,
    facts: {
      "conversation.started": () => "Conversation started",
      "handoff.requested": (b, e) => e.actor.role !== "system" && `A person was asked for${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.offered": (b) => `Offered to ${b.agent?.name || b.agent?.id || "an agent"}`,
      "handoff.accepted": (b, e) => `${this.name(e.actor)} accepted`,
      "handoff.declined": (b, e) => `${this.name(e.actor)} declined${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.cancelled": (b) => `The hand-off was withdrawn${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.failed": (b) => `Nobody took it: ${spaced(b.reason)}`,
      "message.left": () => "The customer left a message",
      "handback.requested": (b, e) => `${this.name(e.actor)} handed back${b.reason ? `: ${b.reason}` : ""}`,
      "handback.completed": () => "The virtual agent has it again",
      "handback.failed": (b) => `The virtual agent did not take it back${b.reason ? `: ${b.reason}` : ""}`,
      "transfer.requested": (b, e) => `${this.name(e.actor)} passes it on${b.agent || b.routing?.queue ? ` to ${b.agent || b.routing.queue}` : ""}${b.reason ? `: ${b.reason}` : ""}`,
      "transfer.completed": (b, e) => `${this.name(e.actor)} has taken over`,
      "transfer.failed": (b) => `The transfer failed: ${b.reason || "nobody took it"}`,
      "conversation.ended": (b) => `Ended${b.by ? ` by ${{ customer: "the customer", live_agent: "the agent", virtual_agent: "the virtual agent", system: "the bridge" }[b.by] || b.by}` : ""}${b.reason ? `: ${b.reason}` : ""}`,
      "insight.observed": (b, e) => insightText(b, this.story.now.insights.news.get(e.id)),
      "insight.requested": (b, e) => b.type !== answered && `${this.name(e.actor)} asked for ${spaced(b.type)}`,
      "wrapup.completed": (b) => `Wrapped up${b.disposition ? `: ${b.disposition}` : ""}`,
      "error.reported": (b) => `Fault reported: ${b.code}${b.detail ? `, ${b.detail}` : ""}`,
    },
  };

  hands = {
    name: this.name,
    file: (blob) => this.outbox.api.file(blob),
    again: (item) => this.outbox.again(item),
    discard: (item) => this.outbox.discard(item),
    resend: (content) => this.say("message.created", { content }, { keep: true }).catch(() => {}),
  };

  #submit(e) {
    e?.preventDefault();
    const box = byId("text");
    const text = box.value.trim();
    if (!text || box.disabled) return;
    const noting = byId("note").checked;
    box.value = "";
    grow(box);
    drafts.set(this.id, "");
    this.keyboard.stop(false);
    const sent = noting ? this.say("note.created", { text }, { keep: true }) : this.say("message.created", { content: { type: "text", text, format: "plain" } }, { keep: true });
    sent.catch(() => this.board.look(this.id));
    if (!noting) this.#told(text);
    this.pane.newest();
    this.paint();
  }

  // suggestion is what the assistant would say now, if anything.
  get suggestion() { return this.row && this.story.now.insights.suggestion; }

  // insert takes the suggested reply into the words.
  insert() {
    const box = byId("text");
    const { id, text } = this.suggestion;
    this.used.set(this.id, { id, text });
    box.value = box.value.trim() ? `${box.value.trimEnd()} ${text}` : text;
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  }

  dismiss() { return this.#answer(this.suggestion.id, "dismissed"); }

  // #told says what became of a suggestion whose words were sent.
  #told(text) {
    const used = this.used.get(this.id);
    if (used) this.#answer(used.id, text === used.text ? "accepted" : "edited");
    this.used.delete(this.id);
  }

  #answer(insight, outcome) { return this.command("insight.requested", { type: answered, parameters: { insight, outcome } }); }

  // #give sends a file, or tells why it cannot be sent.
  async #give(given) {
    const { id } = this;
    try {
      const content = await this.outbox.api.upload(id, given);
      await this.say("message.created", { content }, { id, keep: true });
    } catch (problem) {
      this.toast(`${given.name}: ${problem.advice || problem.message}`);
    }
  }

  // again sends once more whatever failed in the open conversation, on its way to
  // the bridge or to the far side.
  get failed() { return this.id ? this.outbox.on(eventsOf(this.id)).filter((i) => i.failed) : []; }

  get undelivered() { return this.id && this.holds ? undelivered(this.story, this.outbox.on(eventsOf(this.id)), this.mine) : []; }

  again() {
    const { undelivered: lost } = this;
    for (const item of this.failed) this.outbox.again(item);
    for (const e of lost) this.hands.resend(e.body.content);
  }

  // note turns between words for the customer and for the desk alone.
  note() {
    this.#noting(!byId("note").checked);
    this.paint();
    byId("text").focus();
  }

  #noting(on) {
    byId("note").checked = on;
    byId("compose").classList.toggle("note", on);
  }

  #wire() {
    const text = byId("text");
    const names = () => ({ customer: customerName(this.row, this.story), agent: this.actor.name || this.actor.id });
    this.replies = new Replies(text, () => ({ language: this.row?.language || "", names: names() }));
    offer({ zone: byId("desk"), ready: () => this.id && !byId("attach").disabled, take: (given) => this.#give(given) });
    byId("compose").addEventListener("submit", (e) => this.#submit(e));
    onEnter(text, () => this.#submit());
    text.addEventListener("input", () => {
      grow(text);
      drafts.set(this.id, text.value);
      if (!text.value.trim()) this.used.delete(this.id);
      if (!byId("note").checked && this.holds) this.keyboard.press(text.value);
      this.#warn();
    });
    byId("note").addEventListener("change", (e) => {
      this.#noting(e.target.checked);
      this.paint();
      text.focus();
    });
    byId("back").addEventListener("click", () => this.open(""));
    byId("newest").addEventListener("click", () => this.pane.newest());
    byId("facts").addEventListener("click", (e) => {
      const act = { "close-facts": () => this.details(), "suggest-insert": () => this.insert(), "suggest-dismiss": () => this.dismiss() }[e.target.id];
      act?.();
    });
    byId("wrapup").addEventListener("submit", (e) => this.#wrapUp(e));
  }

  // details shows or hides the panel where there is no room beside the talk.
  details(on = !byId("desk").classList.contains("more")) {
    const was = byId("desk").classList.contains("more");
    byId("desk").classList.toggle("more", on);
    byId("more").setAttribute("aria-expanded", String(on));
    if (was !== on && this.id) byId(on ? "close-facts" : "more").focus();
  }

  // finish ends the open conversation and says how it ended.
  async finish({ disposition, note }) {
    const { id } = this;
    this.board.hold(id);
    const ended = await this.command("conversation.ended", { reason: disposition || "completed", by: "live_agent" }, { id });
    if (ended) await this.command("wrapup.completed", { disposition, note }, { id });
  }

  async #wrapUp(e) {
    e.preventDefault();
    const { id } = this;
    const filled = Object.fromEntries([...new FormData(e.target)].map(([k, v]) => [k, v.trim()]));
    if (await this.command("wrapup.completed", filled, { id })) e.target.reset();
  }

  // over tells whether the open conversation is only still shown.
  get over() { return !!this.row && !this.board.mayTake(this.row) && !this.board.isLeft(this.row) && over(this.row, this.board); }
}
