// One conversation as a sequence picture: far sides left and right, what became of
// it in the middle, time downwards.
import { byId, el, setText, show, sync } from "./dom.js";
import { chips, clock, lanes, mermaid, role, rows, sentence } from "./sequence.js";

const page = 200; // turns a page
const mostLanes = 10; // for which console.css has columns
const pages = 3; // pages that are drawn without being asked

export class Picture {
  constructor(api, { toast }) {
    Object.assign(this, { api, toast, id: "", turns: [], dirty: false });
    byId("seq").addEventListener("click", (e) => {
      const button = e.target.closest("button");
      if (button) this.#detail(button.closest("li").dataset.key, button);
    });
    byId("detail-close").addEventListener("click", () => this.#close());
    byId("more-steps").addEventListener("click", () => this.#read(1));
    byId("copy-text").addEventListener("click", () => this.#copy(mermaid(this.trace, this.rows), "The picture is in the clipboard, as Mermaid text."));
    byId("copy-json").addEventListener("click", () => this.#copy(this.turns.map((t) => `${JSON.stringify(t)}\n`).join(""), "The turns are in the clipboard, as footbridge trace --json prints them."));
  }

  async open(id) {
    if (this.id === id) return this.refresh(true);
    this.leave();
    Object.assign(this, { id, turns: [], marks: [], trace: { legs: [], untold: [] }, rows: [], chosen: "" });
    byId("seq").replaceChildren();
    await this.refresh(true);
  }

  leave() {
    this.id = "";
    this.#close(false);
  }

  // stale notes that something happened in a conversation.
  stale(e) { if (e.conversation === this.id) this.dirty = true; }

  escape() {
    if (!byId("detail").hidden) return this.#close();
    byId("back").click();
  }

  // refresh reads the last pages anew: what was on its way may have ended since.
  async refresh(anyway) {
    if (!this.dirty && !anyway || !this.id) return;
    this.dirty = false;
    const id = this.id;
    try {
      const row = await this.api.get(`/conversations/${encodeURIComponent(id)}`);
      if (id !== this.id) return;
      this.#head(row);
      const again = Math.max(0, this.marks.length - 2);
      const whole = this.marks.at(-1)?.next === null; // then what has come since is shown too
      await this.#read(this.marks.length ? this.marks.length - again + whole : pages, this.marks.slice(0, again));
    } catch (problem) {
      if (id === this.id) this.#problem(problem);
    }
  }

  // #read adds so many pages to some that are there; what is shown is replaced when
  // all of them have come.
  async #read(count, pages = this.marks) {
    const id = this.id;
    const mine = this.reading = {};
    const marks = [...pages];
    const turns = this.turns.slice(0, marks.at(-1)?.kept ?? 0);
    let after = marks.at(-1)?.next ?? "";
    let head = this.trace;
    for (let n = 0; n < count && after !== null; n++) {
      const trace = await this.api.get(`/conversations/${encodeURIComponent(id)}/trace?limit=${page}${after ? `&after=${encodeURIComponent(after)}` : ""}`);
      if (id !== this.id || mine !== this.reading) return;
      if (!after) head = { legs: trace.legs, untold: trace.untold || [] };
      else head = { ...head, legs: trace.legs };
      turns.push(...trace.turns);
      after = trace.next;
      marks.push({ kept: turns.length, next: after });
    }
    Object.assign(this, { turns, marks, trace: head });
    show(byId("one-problem"), false);
    show(byId("more-steps"), after !== null);
    this.#draw();
  }

  #problem(problem) {
    show(byId("one-problem"), true, problem.code === "erased" ? "This conversation was erased: what was said and sent is gone." : problem.advice || problem.message);
  }

  #head(c) {
    setText(byId("one-head"), c.customer?.name || c.customer?.id || c.id);
    setText(byId("one-facts"), [c.id, c.state, `owner ${role(c.owner)}`, c.route && `route ${c.route}`, c.queue && `queue ${c.queue}`, c.agent?.id && `agent ${c.agent.name || c.agent.id}`].filter(Boolean).join(" · "));
  }

  #draw() {
    this.rows = rows({ ...this.trace, turns: this.turns });
    const { left, right } = lanes(this.trace.legs);
    this.names = new Map(this.trace.legs.map((l) => [l.id, l.account]));
    this.columns = { width: left.length + right.length + 1, middle: left.length + 1, of: new Map([...left.map((l, i) => [l.id, i + 1]), ...right.map((l, i) => [l.id, left.length + 2 + i])]) };
    const narrow = (lane) => lane.map(() => "minmax(6rem, 1fr)").join(" ");
    byId("picture").style.setProperty("--columns", `6.2rem ${narrow(left)} minmax(15rem, 2.2fr) ${narrow(right)}`);
    const head = (l) => el("div", { className: `lane ${l.detached ? "gone" : ""}` }, el("b", {}, l.account), el("span", { className: "small" }, role(l.role) + (l.detached ? ", left" : "")));
    byId("heads").replaceChildren(el("span", {}), ...left.map(head), el("div", { className: "lane middle" }, el("b", {}, "Footbridge"), el("span", { className: "small" }, "canonical events")), ...right.map(head));
    byId("lines").replaceChildren(el("span", {}), ...left.map(() => el("span", { className: "left" })), el("span", { className: "middle" }), ...right.map(() => el("span", { className: "right" })));
    show(byId("untold"), this.trace.untold.length > 0);
    show(byId("no-steps"), !this.rows.length);
    sync(byId("seq"), this.rows, {
      key: (r) => r.key, inPlace: true,
      face: (r) => [r.at, r.label, r.text, r.outcome, chips(r), r.key === this.chosen, this.columns.width, this.columns.of.get(r.leg)],
      make: (r) => this.#row(r),
    });
    if (this.chosen) this.#fill();
  }

  #row(r) {
    const { middle, of } = this.columns;
    const at = of.get(r.leg) || middle;
    const between = ["in", "out", "dead"].includes(r.kind) && at !== middle;
    const [from, to] = between ? (at < middle ? [at, middle] : [middle + 1, at + 1]) : [middle, middle + 1];
    const button = el("button", { type: "button", className: `step ${r.kind} ${at > middle ? "right" : "left"} ${r.outcome?.mark || ""} from-${from} to-${Math.min(to, mostLanes)}`, "aria-label": sentence(r, this.names), "aria-expanded": String(r.key === this.chosen), "aria-controls": "detail" },
      el("span", { className: "way" }, this.#way(r)),
      el("span", { className: "label" }, r.who ? el("i", {}, `${r.who} `) : "", r.label),
      r.text ? el("span", { className: "text" }, r.text) : "",
      r.outcome?.text ? el("span", { className: `end ${r.outcome.mark}` }, r.outcome.text) : "",
      ...chips(r).map((c) => el("span", { className: `end ${c.mark}` }, c.text)));
    button.dataset.step = "";
    return el("li", { className: r.kind }, el("time", { dateTime: r.at, title: new Date(r.at).toLocaleString() }, clock(r.at)), button);
  }

  // #way is between whom, for where the lanes have no room.
  #way(r) {
    const far = this.names.get(r.leg);
    if (!far || r.kind === "note") return r.kind === "event" ? "event" : r.kind === "state" ? "state" : "Footbridge";
    return r.kind === "out" ? `Footbridge → ${far}` : `${far} → Footbridge`;
  }

  #detail(key, button) {
    if (this.chosen === key) return this.#close();
    this.chosen = key;
    this.from = button;
    this.#draw();
    byId("detail-head").focus({ preventScroll: true });
  }

  // #fill shows all there is of a row; what others wrote is text and nothing else.
  #fill() {
    const r = this.rows.find((x) => x.key === this.chosen);
    show(byId("detail"), !!r);
    byId("picture").classList.toggle("beside", !!r);
    if (!r) return;
    setText(byId("detail-head"), r.label);
    const facts = [["Time", r.at], ["Between", this.#way(r)], ["Actor", r.who], ["Outcome", r.outcome?.text], ["For event", r.of],
      ...chips(r).map((c) => ["Went", c.text]), ...(r.ends || []).map((e) => [e.kind === "try" ? `Try ${e.attempt}` : "Ended", `${e.at} ${[e.status, e.reason].filter(Boolean).join(" ")}`])].filter(([, v]) => v);
    byId("detail-facts").replaceChildren(...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));
    setText(byId("detail-raw-head"), { in: "As the far side sent it", out: "As it was sent (secrets left out)", event: "Event" }[r.kind] || "More");
    setText(byId("detail-raw"), JSON.stringify(r.raw ?? {}, null, 2));
  }

  #close(focus = true) {
    show(byId("detail"), false);
    byId("picture").classList.remove("beside");
    const back = this.chosen;
    this.chosen = "";
    if (!focus || !back) return;
    this.#draw();
    [...byId("seq").children].find((li) => li.dataset.key === back)?.querySelector("button").focus();
  }

  async #copy(text, done) {
    try {
      await navigator.clipboard.writeText(text);
      this.toast(done);
    } catch {
      this.toast("The browser lets nothing be copied here: it does over https or on this machine.");
    }
  }
}
