// A customer's visit: one conversation, kept through reloads, with the line to
// the bridge and what is on its way.
import { Api } from "./api.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Keyboard, Receipts } from "./signals.js";
import { lasting } from "./store.js";
import { forget, keep, persist, stored } from "./site.js";
import { Story } from "./story.js";

// Visit calls changed() when there is something new to show, line(up) when the
// line comes or goes, trouble(problem) while the bridge cannot be reached, and
// failed(problem) when a conversation is refused.
export class Visit {
  constructor(site, { customer, language, changed, line, trouble, failed }) {
    Object.assign(this, { site, customer, language, changed, line, trouble, failed });
  }

  // begin goes on with the conversation there is, or opens one.
  async begin() {
    try {
      const known = stored(this.site) || await persist(() => this.#made(), this.trouble);
      this.#open(known);
    } catch (problem) {
      this.failed(problem);
    }
  }

  async #made() {
    const made = await new Api().post("/conversations", { ...this.site, customer: this.customer, language: this.language });
    const fresh = { id: made.conversation, token: made.token };
    keep(this.site, fresh);
    return fresh;
  }

  #open({ id, token }) {
    this.id = id;
    this.api = new Api({ token, unauthorized: () => this.#lost(id) });
    this.path = `/conversations/${encodeURIComponent(id)}/events`;
    this.story = new Story(id);
    this.outbox = new Outbox(this.api, { name: id, storage: lasting, changed: () => this.changed(), delivered: (item, e) => this.take(e) });
    this.keyboard = new Keyboard((kind, body) => this.live.say({ conversation: id, kind, body }));
    this.receipts = new Receipts((kind, body) => this.tell(kind, body).catch(() => {}));
    this.live = new Live(this.api, {
      take: (e) => this.take(e), state: (s) => this.line(s === "live"), back: () => this.outbox.kick(),
      history: async () => (await this.api.all(this.path, "events")).forEach((e) => this.take(e)),
    });
    this.changed();
  }

  // #lost begins anew when the bridge does not know the conversation's token any
  // more; what has ended stays to be read.
  #lost(id) {
    if (this.id !== id) return;
    const over = this.ended;
    this.#close();
    this.outbox.stop();
    if (over) return;
    this.story = undefined;
    this.begin();
  }

  // anew leaves the conversation for another one.
  anew() {
    this.#close();
    this.story = undefined;
    return this.begin();
  }

  #close() {
    this.live?.close();
    forget(this.site, this.id);
    this.id = undefined;
  }

  take(e) {
    if (!this.id || e.conversation && e.conversation !== this.id) return;
    if (e.actor.role === "customer") this.outbox.seen(this.path, e);
    if (this.story.take(e)) this.changed();
    if (this.ended) this.live.close(); // nothing more comes
  }

  get ended() { return this.story?.now.ended; }

  // tell sends an event in its turn; the promise ends in the bridge's answer.
  tell(kind, body, options) { return this.outbox.add(this.path, { kind, body }, options); }

  // say sends words, which are kept until they have arrived.
  say(content) { this.tell("message.created", { content }, { keep: true }).catch(() => {}); }

  // pending are the words that have not arrived.
  pending() { return this.outbox.on(this.path); }
}
