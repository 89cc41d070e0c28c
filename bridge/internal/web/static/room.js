// The conversation that is open at the desk: transcript, compose box, actions.
import { agentOf } from "./board.js";
import { atEnd, byId, drafts, el, grow, onEnter, setText, show } from "./dom.js";
import { drawFacts } from "./facts.js";
import { offer } from "./files.js";
import { insightText, spaced } from "./insight.js";
import { customerName, stateText } from "./lists.js";
import { Keyboard, Receipts } from "./signals.js";
import { draw, lines } from "./talk.js";

const eventsOf = (id) => `/conversations/${encodeURIComponent(id)}/events`;

// Room shows one conversation at a time and speaks in it for one agent.
export class Room {
  constructor(board, outbox, { actor, toast, chosen }) {
    Object.assign(this, { board, outbox, actor, toast, chosen });
    this.receipts = new Map();
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

  // open turns to another conversation; "" closes the room.
  open(id) {
    if (id === this.id) return;
    this.keyboard?.stop();
    this.id = id;
    this.keyboard = new Keyboard((kind, body) => this.live.say({ conversation: id, kind, actor: this.actor, body }));
    byId("talk").replaceChildren();
    const text = byId("text");
    text.value = id ? drafts.get(id) : "";
    byId("note").checked = false;
    byId("compose").classList.remove("note");
    byId("desk").classList.toggle("talking", !!id);
    byId("desk").classList.remove("more");
    this.arriving = true;
    if (id) this.board.read(id).catch((problem) => this.toast(problem.message));
    this.chosen(id);
    this.paint();
    if (id) grow(text);
    if (id && matchMedia("(min-width: 721px)").matches) text.focus();
  }

  get row() { return this.board.rows.get(this.id); }

  // paint brings the room up to what the board knows.
  paint() {
    const row = this.row;
    for (const part of ["room-top", "scroll", "typing", "compose"]) show(byId(part), !!row);
    show(byId("empty"), !row);
    if (!row) return byId("facts").replaceChildren(), delete byId("facts").dataset.face;
    const story = this.board.story(this.id);
    const box = byId("scroll");
    const end = atEnd(box) || this.arriving && story.complete;
    draw(byId("talk"), lines(story, this.outbox.on(eventsOf(this.id)), this.view), this.hands);
    if (end) box.scrollTop = box.scrollHeight;
    if (story.complete) this.arriving = false;
    this.#head(row, story);
    drawFacts(byId("facts"), row, story, this.board);
    this.#read(row, story, box);
  }

  #head(row, story) {
    const mine = this.board.isMine(row) && row.state === "active";
    setText(byId("room-name"), customerName(row, story));
    setText(byId("room-standing"), stateText(row, this.board));
    for (const act of ["act-handback", "act-transfer", "act-end"]) show(byId(act), mine);
    show(byId("act-handback"), mine && (row.legs || []).some((l) => l.role === "virtual_agent"));
    const typist = story.typists().find((a) => a.role === "customer");
    setText(byId("typing"), typist ? `${customerName(row, story)} is writing…` : "");
    const noting = byId("note").checked;
    const able = noting || mine || this.board.mayTake(row);
    byId("text").disabled = byId("send").disabled = !able;
    byId("attach").disabled = !able || noting;
    setText(byId("send"), noting ? "Add note" : "Send");
    byId("text").placeholder = noting ? "Write a note for the people at the desk" : mine ? "Write a message" : able ? "Write a message: sending it accepts" : row.state === "ended" ? "The conversation has ended" : "Somebody else has the conversation";
  }

  // #read tells the bridge what has been displayed to the one who has the
  // conversation.
  #read(row, story, box) {
    if (!this.board.isMine(row) || row.state !== "active") return;
    if (!this.receipts.has(this.id)) {
      const id = this.id;
      this.receipts.set(id, new Receipts((kind, body) => {
        if (kind === "message.read") this.say(kind, body, { id }).catch(() => {});
      }, (facts) => facts.readByOthers));
    }
    const visible = document.visibilityState === "visible" && document.hasFocus() && atEnd(box);
    this.receipts.get(this.id).seen(story, { visible, from: (e) => e.actor.role === "customer" });
  }

  mine = (e) => e.actor.role === "live_agent" && e.actor.id === this.actor.id;

  name = (actor) => {
    if (actor.role === "customer") return actor.name || customerName(this.row, this.board.story(this.id));
    const fallback = { virtual_agent: "Virtual agent", live_agent: "Agent", system: "Footbridge", observer: "Assistant" };
    return actor.name || (actor.role === "live_agent" && actor.id) || fallback[actor.role] || actor.role;
  };

  view = {
    mine: this.mine, name: this.name, self: "You", role: "live_agent", past: true,
    facts: {
      "conversation.started": () => "Conversation started",
      "handoff.requested": (b, e) => e.actor.role !== "system" && `A person was asked for${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.offered": (b) => `Offered to ${b.agent?.name || b.agent?.id || "an agent"}`,
      "handoff.accepted": (b, e) => `${this.name(e.actor)} accepted`,
      "handoff.declined": (b, e) => `${this.name(e.actor)} declined${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.cancelled": (b) => `The hand-off was withdrawn${b.reason ? `: ${b.reason}` : ""}`,
      "handoff.failed": (b) => `Nobody took it: ${String(b.reason).replaceAll("_", " ")}`,
      "handback.requested": (b, e) => `${this.name(e.actor)} handed back${b.reason ? `: ${b.reason}` : ""}`,
      "handback.completed": () => "The virtual agent has it again",
      "handback.failed": (b) => `The virtual agent did not take it back${b.reason ? `: ${b.reason}` : ""}`,
      "transfer.requested": (b, e) => `${this.name(e.actor)} passes it on${b.agent || b.routing?.queue ? ` to ${b.agent || b.routing.queue}` : ""}${b.reason ? `: ${b.reason}` : ""}`,
      "transfer.completed": (b, e) => `${this.name(e.actor)} has taken over`,
      "transfer.failed": (b) => `The transfer failed: ${b.reason || "nobody took it"}`,
      "conversation.ended": (b) => `Ended${b.by ? ` by ${{ customer: "the customer", live_agent: "the agent", virtual_agent: "the virtual agent", system: "the bridge" }[b.by] || b.by}` : ""}${b.reason ? `: ${b.reason}` : ""}`,
      "insight.observed": (b, e) => insightText(b, this.board.story(this.id).now.insights.news.get(e.id)),
      "insight.requested": (b, e) => `${this.name(e.actor)} asked for ${spaced(b.type)}`,
      "wrapup.completed": (b) => `Wrapped up${b.disposition ? `: ${b.disposition}` : ""}`,
      "error.reported": (b) => `Fault reported: ${b.code}${b.detail ? `, ${b.detail}` : ""}`,
    },
  };

  hands = {
    name: this.name,
    file: (blob) => this.outbox.api.file(blob),
    again: (item) => this.outbox.again(item),
    discard: (item) => this.outbox.discard(item),
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
    byId("scroll").scrollTop = byId("scroll").scrollHeight;
  }

  // #give sends a file, or tells why it cannot be sent.
  async #give(file) {
    const id = this.id;
    try {
      const content = await this.outbox.api.upload(id, file);
      await this.say("message.created", { content }, { id, keep: true });
    } catch (problem) {
      this.toast(`${file.name}: ${problem.advice || problem.message}`);
    }
  }

  #wire() {
    const text = byId("text");
    offer({ zone: byId("desk"), ready: () => this.id && !byId("attach").disabled, take: (file) => this.#give(file) });
    byId("compose").addEventListener("submit", (e) => this.#submit(e));
    onEnter(text, () => this.#submit());
    text.addEventListener("input", () => {
      grow(text);
      drafts.set(this.id, text.value);
      if (!byId("note").checked && this.board.isMine(this.row)) this.keyboard.press(text.value);
    });
    byId("note").addEventListener("change", (e) => {
      byId("compose").classList.toggle("note", e.target.checked);
      this.paint();
      text.focus();
    });
    byId("scroll").addEventListener("scroll", () => this.paint(), { passive: true });
    byId("back").addEventListener("click", () => this.open(""));
    byId("more").addEventListener("click", () => this.#details());
    byId("facts").addEventListener("click", (e) => { if (e.target.id === "close-facts") this.#details(); });
    this.#dialogs();
  }

  // #details shows or hides the panel where there is no room beside the talk.
  #details() {
    byId("more").setAttribute("aria-expanded", String(byId("desk").classList.toggle("more")));
    byId(byId("desk").classList.contains("more") ? "close-facts" : "more").focus();
  }

  #dialogs() {
    ask("act-handback", "handback", () => this.#handbackWarning(), ({ reason, summary }) =>
      this.command("handback.requested", { reason, summary, up_to: this.board.story(this.id).last?.id }));
    ask("act-transfer", "transfer", () => this.#queueNames(), ({ queue, agent, reason }) => {
      if (!queue && !agent) return this.toast("Name a queue or an agent.");
      return this.command("transfer.requested", { reason, agent: agent || undefined, routing: queue ? { queue } : undefined });
    });
    ask("act-end", "finish", () => {}, ({ disposition, note }) => this.#finish(this.id, disposition, note));
  }

  async #finish(id, disposition, note) {
    this.board.held.add(id);
    const ended = await this.command("conversation.ended", { reason: disposition || "completed", by: "live_agent" }, { id });
    if (ended) await this.command("wrapup.completed", { disposition, note }, { id });
  }

  // #handbackWarning shows what the customer said last without an answer.
  #handbackWarning() {
    const n = this.board.story(this.id).unanswered();
    show(byId("handback-unanswered"), n > 0, n === 1 ? "The customer's last message is unanswered." : `The customer's last ${n} messages are unanswered.`);
  }

  #queueNames() {
    byId("queues").replaceChildren(...(this.board.queues || []).map((q) => el("option", { value: q.name })));
  }
}

// ask opens a dialog with a button, and does what it was filled in for.
export function ask(button, dialog, before, act) {
  const box = byId(dialog);
  byId(button)?.addEventListener("click", () => {
    before();
    box.showModal();
  });
  box.addEventListener("close", () => {
    const form = box.querySelector("form");
    const filled = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, v.trim()]));
    const yes = box.returnValue === "yes";
    box.returnValue = "";
    form.reset();
    if (yes) act(filled);
  });
}
