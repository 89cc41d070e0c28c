// What the desk knows: who waits, what is mine, and the story of each.
import { Story } from "./story.js";

const waitingStates = ["requested", "queued", "offered"];
const heldStates = ["active", "returning"];
const shownWaiting = 60; // stories are read for this many who wait
const settle = 250; // changes this close are looked up together, in milliseconds

// telling are the kinds after which a conversation may be in another list;
// arriving are those after which one that is in none may be in one.
const telling = /^(conversation|handoff|handback|transfer|context|participant)\./;
const arriving = /^(handoff\.(requested|queued|offered|accepted)|transfer\.(requested|completed|failed))$/;

export class Board {
  constructor(api, { agent, changed }) {
    Object.assign(this, { api, agent, changed });
    this.rows = new Map();
    this.stories = new Map();
    this.reading = new Map();
    this.places = new Map();
    this.dirty = new Set();
  }

  // load reads the lists anew. Stories that are kept read on from where they are.
  async load() {
    const pages = await Promise.all([
      ...waitingStates.map((s) => this.api.all(`/conversations?state=${s}`, "conversations")),
      ...heldStates.map((s) => this.api.all(`/conversations?state=${s}&agent=${encodeURIComponent(this.agent)}`, "conversations")),
    ]);
    const fresh = new Map(pages.flat().map((row) => [row.id, row]));
    for (const [id, row] of this.rows) if (!fresh.has(id) && this.held.has(id)) fresh.set(id, row);
    this.rows = fresh;
    await Promise.all([this.#queues(), ...this.#shown().map((row) => this.read(row.id, true))]);
    this.changed();
  }

  held = new Set(); // conversations kept on the board though they have ended

  #shown() { return [...this.waiting().slice(0, shownWaiting), ...this.mine()]; }

  async #queues() {
    const { queues = [] } = await this.api.get("/queues").catch(() => ({}));
    this.queues = queues;
    this.places = new Map(queues.flatMap((q) => (q.conversations || []).map((id, i) => [id, i + 1])));
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
    const events = await this.api.all(`/conversations/${encodeURIComponent(id)}/events`, "events");
    for (const e of events) story.take(e);
    story.complete = true;
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
    if (fresh && (wanted ? telling : arriving).test(e.kind)) this.look(id);
    if (wanted && fresh) this.changed();
    return fresh;
  }

  // look asks how a conversation stands, together with others.
  look(id) {
    this.dirty.add(id);
    this.looking ??= setTimeout(() => this.#look(), settle);
  }

  async #look() {
    const ids = [...this.dirty];
    this.dirty.clear();
    this.looking = undefined;
    const [rows] = await Promise.all([
      Promise.all(ids.map((id) => this.api.get(`/conversations/${encodeURIComponent(id)}`).catch((problem) => ({ id, problem })))),
      this.#queues(),
    ]);
    for (const row of rows) this.#place(row);
    this.changed();
  }

  #place(row) {
    if (row.problem) {
      if (row.problem.final) this.rows.delete(row.id);
      else this.look(row.id);
      return;
    }
    const was = this.rows.get(row.id);
    if (row.state === "ended" && this.isMine(was)) this.held.add(row.id); // stays until it is closed, so that nobody wonders where it went
    if (this.#concerns(row) || was && this.held.has(row.id)) {
      this.rows.set(row.id, row);
      this.read(row.id).catch(() => {});
    } else {
      this.rows.delete(row.id);
    }
  }

  #concerns(row) { return waitingStates.includes(row.state) || this.isMine(row); }

  isMine(row) { return heldStates.includes(row?.state) && agentOf(row) === this.agent; }

  // mayTake tells whether the row waits for somebody, or for me by name.
  mayTake(row) {
    if (!waitingStates.includes(row.state) || agentOf(row) === this.agent) return false;
    const asked = this.stories.get(row.id)?.now.offered;
    return row.state !== "offered" || !asked || asked === this.agent;
  }

  offeredToMe(row) { return row?.state === "offered" && this.stories.get(row.id)?.now.offered === this.agent; }

  since(row) { return this.stories.get(row.id)?.now.waitingSince || row.updated || row.created; }

  // waiting is who waits: those offered to me first, then the longest.
  waiting() {
    return [...this.rows.values()].filter((row) => waitingStates.includes(row.state) && agentOf(row) !== this.agent)
      .sort((a, b) => this.offeredToMe(b) - this.offeredToMe(a) || this.since(a).localeCompare(this.since(b)));
  }

  // mine is what I have, the newest word first; what ended while open stays last.
  mine() {
    const said = (row) => this.stories.get(row.id)?.lastSaid()?.time || row.updated || "";
    const passing = (row) => waitingStates.includes(row.state) && agentOf(row) === this.agent;
    return [...this.rows.values()].filter((row) => this.isMine(row) || passing(row) || this.held.has(row.id) && !waitingStates.includes(row.state))
      .sort((a, b) => this.isMine(b) - this.isMine(a) || said(b).localeCompare(said(a)));
  }
}

export function agentOf(row) {
  return typeof row.agent === "string" ? row.agent : row.agent?.id || "";
}
