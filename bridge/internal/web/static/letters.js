// The dead letters, and giving them to their conversation again.
import { cell, time } from "./conversations.js";
import { byId, el, show, sync } from "./dom.js";

export class DeadLetters {
  constructor(api, { operator, toast, counted }) {
    Object.assign(this, { api, operator, toast, counted, all: [], busy: new Set() });
    show(byId("may-not"), !operator);
    byId("letters").addEventListener("click", (e) => {
      const button = e.target.closest("button");
      if (button && !button.disabled) this.replay(button.closest("tr").dataset.key);
    });
  }

  open() { return this.read(); }

  refresh() { return this.read(); }

  async read() {
    try {
      const all = await this.api.all("/dead-letters", "dead_letters");
      this.all = all.sort((a, b) => b.at.localeCompare(a.at));
      show(byId("letters-problem"), false);
      this.#draw();
    } catch (problem) {
      show(byId("letters-problem"), true, problem.advice || problem.message);
    }
  }

  // replay gives one to its conversation; who comes second is told so.
  async replay(id) {
    this.busy.add(id);
    this.#draw();
    try {
      await this.api.post(`/dead-letters/${encodeURIComponent(id)}/replay`, {});
      this.toast("Replayed: its conversation has it once more.");
    } catch (problem) {
      this.toast(problem.code === "already_replayed" ? "It was replayed already; nothing was done again." : problem.advice || problem.message);
    }
    this.busy.delete(id);
    await this.read();
  }

  #draw() {
    this.counted(this.all.filter((d) => !d.replayed).length);
    show(byId("no-letters"), !this.all.length);
    sync(byId("letters"), this.all, { key: (d) => d.id, face: (d) => [d, this.busy.has(d.id)], inPlace: true, make: (d) => this.#row(d) });
  }

  #row(d) {
    const button = el("button", {
      type: "button", disabled: !this.operator || !!d.replayed || this.busy.has(d.id), title: this.operator ? "" : "Only an operator may replay",
      "aria-describedby": this.operator ? undefined : "may-not", "aria-label": `Replay the dead letter of ${d.account}, ${d.reason}`,
    }, "Replay");
    button.dataset.step = "";
    const link = el("a", { href: `#/conversations/${encodeURIComponent(d.conversation)}` }, d.conversation);
    return el("tr", { role: "row" },
      cell("When", time(d.at)),
      cell("Account", `${d.account} (${[d.adapter, d.version].filter(Boolean).join(" ")})`),
      cell("Reason", el("span", { className: "reason" }, d.reason)),
      cell("Conversation", link),
      cell("Replay", d.replayed ? el("span", {}, "replayed ", time(d.replayed), " ago") : button));
  }
}
