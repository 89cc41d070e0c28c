// One conversation as the events tell it. A Story takes events in any order and
// any number of times and is the same in the end: each counts once, by its id.

import { own } from "./dom.js";
import { begin as nothingLearnt, learn, settle } from "./insight.js";

const expired = (iso) => !iso || new Date(iso).getTime() < Date.now();

const soundHolds = 5000; // a sound level is of this moment

export class Story {
  constructor(id) {
    this.id = id;
    this.byId = new Map();
    this.ordered = [];
    this.streams = new Map();
    this.whole = new Set(); // streams that are: a piece may come after its message
    this.typing = new Map();
    this.late = 0; // how often an event came after a later one
  }

  // take notes an event; false when it was known already.
  take(e) {
    if (this.byId.has(e.id)) return false;
    const signal = own(signals, e.kind) || !e.seq && own(passing, e.kind);
    if (signal) return signal(this, e);
    if (!e.seq) return false;
    this.byId.set(e.id, e);
    let at = this.ordered.length;
    while (at > 0 && this.ordered[at - 1].seq > e.seq) at--;
    if (at === this.ordered.length) {
      this.ordered.push(e);
      if (this.facts) step(this.facts, e);
    } else {
      this.ordered.splice(at, 0, e);
      this.facts = undefined; // it came late: what follows from it is worked out anew
      this.late++;
    }
    if (e.kind === "message.created") {
      this.typing.delete(e.actor.role);
      if (e.body.stream) {
        this.streams.delete(e.body.stream);
        this.whole.add(e.body.stream);
      }
    }
    return true;
  }

  // hush forgets what is true for a moment only, when nobody could tell that it
  // has ended.
  hush() {
    this.typing.clear();
    this.sound = undefined;
  }

  // last is the newest event, if there is one.
  get last() { return this.ordered.at(-1); }

  // now is what the events come to.
  get now() {
    this.facts ??= this.ordered.reduce(step, begin());
    return this.facts;
  }

  // typists are the roles whose typing has not run out.
  typists() {
    return [...this.typing.values()].filter((t) => !expired(t.until)).map((t) => t.actor);
  }

  // loudness is how loud it is right now, "" where nobody told lately.
  loudness() { return this.sound && !expired(this.sound.until) ? String(this.sound.level) : ""; }

  // mark is what is known of a message's way: sent, delivered, read or failed.
  mark(e) {
    const m = this.now;
    if (m.failed.has(e.id)) return { state: "failed", reason: m.failed.get(e.id) };
    const reader = e.actor.role === "customer" ? m.readByOthers : m.readByCustomer;
    if (reader >= e.seq) return { state: "read" };
    return { state: m.delivered.has(e.id) ? "delivered" : "sent" };
  }

  // unread counts the customer's messages after the last a live agent has read
  // or answered.
  unread() { return after(this.now.byCustomer, this.now.readByAgent); }

  // unanswered counts the customer's messages nobody has said anything to.
  unanswered() { return after(this.now.byCustomer, Math.max(this.now.answeredAt, this.now.requestedAt)); }

  // left counts the customer's messages since they left the first for people.
  left() { return after(this.now.byCustomer, this.now.leftAt); }

  // lastSaid is the newest message, for lists.
  lastSaid() { return this.now.said; }
}

// after counts the positions behind one; they are in order.
function after(positions, one) {
  let n = 0;
  while (n < positions.length && positions.at(-1 - n) > one) n++;
  return n;
}

const signals = {
  "typing.started"(story, e) {
    const fallback = new Date(Date.now() + 6000).toISOString();
    story.typing.set(e.actor.role, { actor: e.actor, until: e.body?.expires || fallback });
    return true;
  },
  "typing.stopped"(story, e) {
    return story.typing.delete(e.actor.role);
  },
  "message.partial"(story, e) {
    const { stream, index, mode, text } = e.body;
    if (story.whole.has(stream)) return false;
    const s = story.streams.get(stream) || { id: `stream-${stream}`, actor: e.actor, index: -1, text: "" };
    if (index <= s.index) return false;
    story.streams.set(stream, { ...s, index, text: mode === "replace" ? text : s.text + text });
    return true;
  },
};

// passing are kinds that may be of the moment only.
const passing = {
  "insight.observed"(story, e) {
    if (e.body?.type !== "sound_level") return false;
    story.sound = { level: e.body.level, until: new Date(Date.now() + soundHolds).toISOString() };
    return true;
  },
};

function begin() {
  return {
    phase: "automated", customer: {}, language: "", attributes: {}, agent: undefined, offered: undefined, position: 0, wait: 0,
    requestedAt: 0, reason: "", summary: "", queue: "", waitingSince: "", ended: undefined, wrapped: false,
    delivered: new Set(), deliveredUpTo: 0, failed: new Map(), readByCustomer: 0, readByOthers: 0, readByAgent: 0, seqs: new Map(),
    survey: undefined, surveyed: undefined, said: undefined, heard: undefined, leftAt: 0, byCustomer: [], answeredAt: 0, insights: nothingLearnt(),
  };
}

// step folds one event into the facts.
function step(m, e) {
  m.seqs.set(e.id, e.seq);
  own(folds, e.kind)?.(m, e.body || {}, e);
  return m;
}

function waits(m, b, e) {
  m.waitingSince = e.time;
  m.position = 0;
  m.offered = undefined;
  m.reason = b.reason || m.reason;
  m.queue = b.routing?.queue || m.queue;
}

function automated(m) {
  m.phase = "automated";
  m.agent = undefined;
  m.offered = undefined;
}

const folds = {
  "conversation.started"(m, b) {
    m.customer = b.customer || {};
    m.language = b.language || "";
    Object.assign(m.attributes, b.attributes);
  },
  "context.updated": (m, b) => Object.assign(m.attributes, b.attributes),
  "participant.joined"(m, b) {
    if (b.participant?.role === "customer") m.customer = b.participant;
  },
  "handoff.requested"(m, b, e) {
    waits(m, b, e);
    if (!m.transferring) {
      m.phase = "requested";
      m.requestedAt = e.seq;
    }
    m.summary = b.summary || "";
    m.language = b.routing?.language || m.language;
    Object.assign(m.attributes, b.context);
  },
  "transfer.requested"(m, b, e) {
    waits(m, b, e);
    m.phase = "queued";
    m.transferring = true;
  },
  "handoff.queued"(m, b) {
    m.phase = "queued";
    m.position = b.position || 0;
    m.wait = b.wait || 0;
    m.offered = undefined;
  },
  "handoff.offered"(m, b) {
    m.phase = "offered";
    m.offered = b.agent?.id;
  },
  "handoff.declined"(m, b, e) {
    if (m.phase === "offered" && e.actor.role === "live_agent") m.phase = "queued";
    m.offered = undefined;
  },
  "handoff.accepted"(m, b, e) {
    m.phase = "active";
    m.agent = e.actor;
    m.transferring = false;
    m.offered = undefined;
  },
  "transfer.completed"(m, b, e) {
    m.phase = "active";
    m.agent = e.actor;
    m.transferring = false;
  },
  "transfer.failed"(m) {
    m.phase = m.agent ? "active" : "automated";
    m.transferring = false;
  },
  "handoff.cancelled": (m) => (m.transferring && m.agent ? folds["transfer.failed"](m) : automated(m)),
  "handoff.failed"(m, b, e) {
    if (e.actor.role === "system") automated(m);
  },
  "handback.requested": (m) => { m.phase = "returning"; },
  "handback.failed": (m) => { m.phase = "active"; },
  "handback.completed": automated,
  "insight.observed": (m, b, e) => learn(m.insights, b, e),
  "insight.requested": (m, b) => settle(m.insights, b),
  "conversation.ended"(m, b) {
    m.phase = "ended";
    m.ended = b;
  },
  "survey.offered": (m, b) => { m.survey = b; },
  "survey.answered": (m, b) => { m.surveyed = b; },
  "wrapup.completed": (m) => { m.wrapped = true; },
  "message.created"(m, b, e) {
    m.said = e;
    if (e.actor.role === "customer") {
      m.byCustomer.push(e.seq);
      m.heard = e;
    }
    if (e.actor.role === "live_agent") m.readByAgent = m.answeredAt = e.seq;
  },
  "message.left": (m) => { m.leftAt = (m.byCustomer.at(-1) || 0) - 1; }, // the words before it are the first
  "message.delivered"(m, b) {
    m.delivered.add(b.message);
    m.deliveredUpTo = Math.max(m.deliveredUpTo, m.seqs.get(b.message) || 0);
  },
  "message.failed": (m, b) => m.failed.set(b.message, b.reason || ""),
  "message.read"(m, b, e) {
    const upTo = m.seqs.get(b.message) || 0;
    if (e.actor.role === "customer") m.readByCustomer = Math.max(m.readByCustomer, upTo);
    else m.readByOthers = Math.max(m.readByOthers, upTo);
    if (e.actor.role === "live_agent") m.readByAgent = Math.max(m.readByAgent, upTo);
  },
};
