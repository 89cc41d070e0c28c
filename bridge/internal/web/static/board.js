// What the desk knows: who waits, what is mine, and the story of each.
import { own } from "./dom.js";
import { Story } from "./story.js";

const waitingStates = ["requested", "queued", "offered"];
const heldStates = ["active", "returning"];
const shownWaiting = 20; // stories are read for this many who wait, and who left a message
const many = 40; // from here on the lists are read instead of single rows
const settle = 250; // changes this close are looked up together, in milliseconds

// telling are the kinds after which a conversation may be in another list;
// arriving are those after which one that is in none may be in one.
const telling = /^((conversation|handoff|handback|transfer|context|participant|wrapup)\.|message\.left$)/;
const arriving = /^(handoff\.(requested|queued|offered|accepted)|transfer\.(requested|completed|failed)|message\.left)$/;

// plainly are the kinds that say how a conversation stands now.
const plainly = {
  "conversation.ended": () => ({ state: "ended" }),
  "handoff.accepted": (e) => e.actor.role === "live_agent" && { state: "active", agent: e.actor, left: undefined },
  "wrapup.completed": () => ({ left: undefined }),
};

export class Board {
  constructor(api, { agent, changed }) {
    Object.assign(this, { api, agent, changed });
    this.rows = new Map();
    this.stories = new Map();
    this.reading = new Map();
    this.dirty = new Set(); // whose standing is to be asked
    this.asked = new Map(); // and was, last with whom
    this.held = new Set(this.#heldBefore());
    this.queues = [];
    this.stamp = 0; // changes with whatever the list of those who wait is made of
  }

  // load reads the lists anew. Stories that are kept read on from where they are.
  async load() {
    const pages = await Promise.all([
      ...waitingStates.map((s) => this.api.all(`/conversations?state=${s}`, "conversations")),
      ...heldStates.map((s) => this.api.all(`/conversations?state=${s}&agent=${encodeURIComponent(this.agent)}`, "conversations")),
      this.api.all("/conversations?left=true", "conversations"),
    ]);
    const fresh = new Map(pages.flat().map((row) => [row.id, row]));
    const gone = [...new Set([...this.held, ...[...this.rows.values()].filter((row) => this.isMine(row)).map((row) => row.id)])].filter((id) => !fresh.has(id));
    const before = this.rows;
    this.rows = fresh;
    for (const row of await Promise.all(gone.map((id) => this.#row(id)))) {
      if (!row.problem && row.state === "ended") this.hold(row.id);
      if (row.problem && !row.problem.final && before.has(row.id)) fresh.set(row.id, before.get(row.id));
      else if (!row.problem && this.held.has(row.id)) fresh.set(row.id, row);
      else this.drop(row.id);
    }
    this.stamp++;
    await Promise.all([this.#askQueues(), ...this.#shown().map((row) => this.read(row.id, true))]);
    this.loaded = true;
    this.changed();
  }

  // hold keeps a conversation on the board though it has ended, through a reload
  // too; drop lets go of it.
  hold(id) {
    this.held.add(id);
    this.#keepHeld();
  }

  drop(id) {
    this.held.delete(id);
    this.rows.delete(id);
    this.stamp++;
    this.#keepHeld();
  }

  #keepHeld() { sessionStorage.setItem(`footbridge.desk.held.${this.agent}`, JSON.stringify([...this.held])); }

  #heldBefore() {
    try {
      return JSON.parse(sessionStorage.getItem(`footbridge.desk.held.${this.agent}`)) || [];
    } catch {
      return [];
    }
  }

  #row(id) { return this.api.get(`/conversations/${encodeURIComponent(id)}`).catch((problem) => ({ id, problem })); }

  #shown() { return [...this.waiting().slice(0, shownWaiting), ...this.left().slice(0, shownWaiting), ...this.mine()]; }

  async #askQueues() {
    const answer = await this.api.get("/queues").catch(() => undefined);
    if (!answer) return;
    this.queues = answer.queues || [];
    this.queues.forEach((q) => (q.conversations || []).forEach((id, i) => {
      const row = this.rows.get(id);
      if (row) row.position = i + 1;
    }));
    this.stamp++;
  }

  // read brings a story up to date; it is read once at a time.
  read(id, again = false) {
    const known = this.stories.get(id);
    if (known?.complete && !again) return Promise.resolve(known);
    if (!this.reading.has(id)) this.reading.set(id, this.#read(id).finally(() => this.reading.delete(id)));
    return this.reading.get(id);
  }

  async #read(id) {
    const story = this.story(id);
    for await (const events of this.api.pages(`/conversations/${encodeURIComponent(id)}/events`, "events")) {
      for (const e of events) story.take(e);
      this.changed();
    }
    story.complete = true;
    this.stamp++;
    this.changed();
    return story;
  }

  story(id) {
    if (!this.stories.has(id)) this.stories.set(id, new Story(id));
    return this.stories.get(id);
  }

  // take notes an event of any conversation; false when it was known.
  take(e) {
    const id = e.conversation;
    if (!id) return false;
    const wanted = this.rows.has(id) || this.stories.has(id);
    const fresh = wanted ? this.story(id).take(e) : true;
    if (fresh && wanted) this.#atOnce(e);
    if (fresh && (wanted ? telling : arriving).test(e.kind)) this.look(id);
    if (!wanted || !fresh) return fresh;
    if (waitingStates.includes(this.rows.get(id)?.state) || this.isLeft(this.rows.get(id))) this.stamp++;
    this.changed();
    return true;
  }

  // #atOnce shows what an event says of its row before the row has been asked for.
  #atOnce(e) {
    const row = this.rows.get(e.conversation);
    const change = own(plainly, e.kind)?.(e);
    if (row && change) this.#place({ ...row, ...change });
  }

  // look asks how a conversation stands, together with others.
  look(id) {
    this.dirty.add(id);
    this.looking ??= setTimeout(() => this.#look(), settle);
  }

  async #look() {
    const ids = [...this.dirty];
    const asked = {}; // one for all of them
    for (const id of ids) this.asked.set(id, asked);
    this.dirty.clear();
    this.looking = undefined;
    if (ids.length > many) return this.load().catch(() => ids.forEach((id) => this.look(id)));
    for (const row of await Promise.all(ids.map((id) => this.#row(id)))) this.#answered(row, asked);
    await this.#askQueues();
    this.changed();
  }

  // #answered takes an answer. What has happened since it was asked is not in it, and
  // is asked again.
  #answered(row, asked) {
    if (this.dirty.has(row.id) || this.asked.get(row.id) !== asked) return;
    this.asked.delete(row.id);
    this.#place(row);
  }

  #place(row) {
    this.stamp++;
    if (row.problem) {
      if (row.problem.final) this.rows.delete(row.id);
      else this.look(row.id);
      return;
    }
    const was = this.rows.get(row.id);
    if (row.state === "ended" && this.isMine(was)) this.hold(row.id); // stays until it is closed, so that nobody wonders where it went
    if (this.#concerns(row) || was && this.held.has(row.id)) {
      this.rows.set(row.id, row);
      if (!was || this.stories.has(row.id)) this.read(row.id).catch(() => {});
    } else {
      this.rows.delete(row.id);
    }
  }

  #concerns(row) { return waitingStates.includes(row.state) || this.isMine(row) || this.isLeft(row); }

  isMine(row) { return heldStates.includes(row?.state) && agentOf(row) === this.agent; }

  // isPassing tells whether I am passing it on to somebody else.
  isPassing(row) { return waitingStates.includes(row.state) && agentOf(row) === this.agent; }

  // isLeft tells whether the customer has left a message that waits, and nobody is
  // asked for them now.
  isLeft(row) { return !!row?.left && !waitingStates.includes(row.state); }

  // mayAnswer tells whether somebody can take up what was left.
  mayAnswer(row) { return this.isLeft(row) && row.state !== "ended"; }

  // mayTake tells whether the row waits for somebody, or for me by name.
  mayTake(row) {
    if (!waitingStates.includes(row.state) || agentOf(row) === this.agent) return false;
    const asked = this.#asked(row);
    return row.state !== "offered" || !asked || asked === this.agent;
  }

  offeredToMe(row) { return row?.state === "offered" && this.#asked(row) === this.agent; }

  // #asked is the agent who is asked now.
  #asked(row) { return row.offered || this.stories.get(row.id)?.now.offered; }

  since(row) { return this.isLeft(row) && row.left.since || row.waiting_since || this.stories.get(row.id)?.now.waitingSince || row.updated || row.created; }

  // waiting is who waits: those offered to me first, then the longest.
  waiting() {
    if (this.line?.stamp !== this.stamp) this.line = { stamp: this.stamp, rows: this.#waiting() };
    return this.line.rows;
  }

  #waiting() {
    return [...this.rows.values()].filter((row) => waitingStates.includes(row.state) && agentOf(row) !== this.agent)
      .map((row) => ({ row, mine: this.offeredToMe(row), since: time(this.since(row)) }))
      .sort((a, b) => b.mine - a.mine || a.since - b.since || a.row.id.localeCompare(b.row.id)).map(({ row }) => row);
  }

  // left is who left a message, the longest waiting first.
  left() {
    return [...this.rows.values()].filter((row) => this.isLeft(row)).sort((a, b) => time(a.left.since) - time(b.left.since) || a.id.localeCompare(b.id));
  }

  // mine is what I have, the newest word first; what ended while open stays last.
  mine() {
    const said = (row) => this.stories.get(row.id)?.lastSaid()?.time || row.updated || "";
    return [...this.rows.values()].filter((row) => this.isMine(row) || this.isPassing(row) || this.held.has(row.id) && !waitingStates.includes(row.state) && !this.isLeft(row))
      .sort((a, b) => this.isMine(b) - this.isMine(a) || time(said(b)) - time(said(a)));
  }
}

// time is a time as a number. As texts they cannot be compared: their fractions
// differ in length.
const time = (iso) => Date.parse(iso) || 0;

export function agentOf(row) {
  return typeof row.agent === "string" ? row.agent : row.agent?.id || "";
}
