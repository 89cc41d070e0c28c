// What is on its way to the bridge. Everything goes with an Idempotency-Key, and
// again with the same key until the bridge has answered: after a dropped
// connection, a restart of the bridge or a reload of the page nothing is lost
// and nothing said twice.
import { newKey } from "./api.js";

const firstPause = 400;
const longestPause = 10000;

export class Outbox {
  // name keeps the words of this page apart from those of others in storage;
  // changed is called whenever the items are others than before.
  constructor(api, { name, storage, changed, delivered }) {
    Object.assign(this, { api, storage, changed, delivered, slot: `footbridge.outbox.${name}` });
    this.lanes = new Map();
    this.items = this.#stored();
    for (const item of this.items) if (!item.failed) this.#run(item.path);
  }

  // add sends a body in its turn; the promise ends in the bridge's answer, or in
  // its refusal. Words are kept through a reload, commands are not.
  add(path, body, { keep = false } = {}) {
    const item = { key: newKey(), path, body, at: new Date().toISOString(), keep };
    const done = new Promise((resolve, reject) => { item.settle = { resolve, reject }; });
    this.items.push(item);
    this.#store();
    this.#run(path);
    return done;
  }

  // on lists what waits for one path and is kept, oldest first.
  on(path) { return this.items.filter((i) => i.path === path && i.keep && !i.arrived); }

  // again sends what was refused once more, as a new thing.
  again(item) {
    delete item.failed;
    item.key = newKey();
    this.#store();
    this.#run(item.path);
  }

  discard(item) {
    this.items = this.items.filter((i) => i !== item);
    this.#store();
  }

  // seen takes out the words an event shows to have arrived, when the event came
  // before the answer.
  seen(path, e) {
    const body = JSON.stringify(e.body?.content ?? e.body);
    const item = this.items.find((i) => i.path === path && i.sending && !i.arrived && i.body.kind === e.kind && JSON.stringify(i.body.body.content ?? i.body.body) === body);
    if (item) item.arrived = true;
    return !!item;
  }

  // stop gives up what is on its way, for good.
  stop() {
    this.items = [];
    this.#store();
    this.kick();
  }

  // kick tries at once what waits for its next try.
  kick() { for (const lane of this.lanes.values()) lane.wake?.(); }

  async #run(path) {
    if (this.lanes.has(path)) return;
    const lane = {};
    this.lanes.set(path, lane);
    for (let item; (item = this.items.find((i) => i.path === path && !i.failed));) await this.#send(item, lane);
    this.lanes.delete(path);
  }

  async #send(item, lane) {
    for (let pause = firstPause; this.items.includes(item); pause = Math.min(pause * 2, longestPause)) {
      try {
        item.sending = true;
        const answer = await this.api.post(item.path, item.body, item.key);
        this.delivered?.(item, answer);
        this.discard(item);
        item.settle?.resolve(answer);
        return;
      } catch (problem) {
        if (problem.final) return this.#refused(item, problem);
        await new Promise((go) => { lane.wake = go; setTimeout(go, pause * (0.75 + Math.random() / 2)); });
      }
    }
  }

  #refused(item, problem) {
    item.sending = false;
    if (item.keep) {
      item.failed = problem.message;
      this.#store();
    } else {
      this.discard(item);
    }
    item.settle?.reject(problem);
  }

  #store() {
    const kept = this.items.filter((i) => i.keep).map(({ key, path, body, at, failed, keep }) => ({ key, path, body, at, failed, keep }));
    this.storage.setItem(this.slot, JSON.stringify(kept));
    this.changed();
  }

  #stored() {
    try {
      return JSON.parse(this.storage.getItem(this.slot)) || [];
    } catch {
      return [];
    }
  }
}
