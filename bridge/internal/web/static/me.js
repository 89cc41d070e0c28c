// What the agent says of themselves, and what they set for this browser.
import { byId, setText, show } from "./dom.js";

// Me keeps state and capacity. taken gives how many conversations the agent has.
export class Me {
  constructor(api, actor, { toast, taken, alerts }) {
    Object.assign(this, { api, actor, toast, taken, alerts, path: `/agents/${encodeURIComponent(actor.id)}/state` });
  }

  async start() {
    const select = byId("state");
    select.value = sessionStorage.getItem("footbridge.desk.state") || "available";
    select.addEventListener("change", () => this.say());
    byId("capacity").addEventListener("change", () => this.say());
    this.#settings();
    const known = await this.api.get(this.path).catch(() => ({}));
    this.#capacity(known.capacity || 0);
    this.say();
  }

  get state() { return byId("state").value; }

  // set declares another state, by key.
  set(state) {
    byId("state").value = state;
    return this.say();
  }

  async say(state = this.state) {
    sessionStorage.setItem("footbridge.desk.state", state);
    const capacity = byId("capacity").checkValidity() && Number(byId("capacity").value) || undefined;
    this.#show(state);
    try {
      const answer = await this.api.put(this.path, { state, name: this.actor.name, capacity });
      this.#capacity(answer.capacity);
      this.#show(answer.state || state);
    } catch (problem) {
      if (problem.status && problem.status !== 401) this.toast(problem.advice || problem.message);
    }
  }

  connected(live) { this.#show(live ? this.state : "down"); }

  // paint says how full the agent's hands are.
  paint() {
    const n = this.taken();
    setText(byId("load"), this.limit ? `${n} of ${this.limit}` : "");
    byId("load").classList.toggle("full", !!this.limit && n >= this.limit);
  }

  #capacity(n) {
    this.limit = n;
    if (document.activeElement !== byId("capacity") && n) byId("capacity").value = n;
    this.paint();
  }

  #show(state) { byId("dot").className = `dot ${state}`; }

  #settings() {
    const { alerts } = this;
    const [sound, notices] = [byId("sound"), byId("notices")];
    sound.checked = alerts.sound;
    notices.checked = alerts.notices;
    sound.addEventListener("change", () => alerts.setSound(sound.checked));
    notices.addEventListener("change", async () => {
      if (await alerts.setNotices(notices.checked)) return;
      notices.checked = false;
      this.toast("The browser does not allow notifications from this page. Its settings for the page do.");
    });
    byId("leave").addEventListener("click", () => this.#leave(""));
    byId("leave-all").addEventListener("click", () => this.#leave("?everywhere=true"));
  }

  async #leave(where) {
    await this.say("offline").catch(() => {});
    await this.api.del(`/session${where}`).catch(() => {});
    for (const name of ["agent", "open", "state"]) sessionStorage.removeItem(`footbridge.desk.${name}`);
    location.reload();
  }
}

// toast says something for a while.
let toasting;

export function toast(text) {
  show(byId("toast"), true, text);
  clearTimeout(toasting);
  toasting = setTimeout(() => show(byId("toast"), false), Math.max(5000, text.length * 80));
}
