// Ready answers: a slash and the beginning of a name list them, Enter or Tab puts
// one into the words.
import { byId, el, show, sync } from "./dom.js";

const most = 8;
const asked = /(?:^|\s)\/([^\s/]*)$/;

export class Replies {
  // now gives {language, names}: names are what {customer} and {agent} stand for.
  constructor(area, now) {
    Object.assign(this, { area, now, all: [], found: [], at: 0 });
    this.list = byId("replies");
    area.addEventListener("input", () => this.#look());
    area.addEventListener("blur", () => this.close());
    area.addEventListener("keydown", (e) => this.#key(e), { capture: true });
    area.addEventListener("beforeinput", (e) => {
      if (this.found.length && e.inputType === "insertLineBreak") this.#stop(e, () => this.#put(this.at));
    }, { capture: true });
    this.list.addEventListener("mousedown", (e) => {
      e.preventDefault(); // the words keep the focus
      const item = e.target.closest("[role=option]");
      if (item) this.#put([...this.list.children].indexOf(item));
    });
  }

  // begin writes a slash where the words are, to choose from all.
  begin() {
    this.area.focus();
    const { value, selectionStart: at } = this.area;
    if (!asked.test(value.slice(0, at))) this.area.setRangeText(at && !/\s/.test(value[at - 1]) ? " /" : "/", at, at, "end");
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  close() {
    this.found = [];
    this.#draw();
  }

  #look() {
    const typed = asked.exec(this.area.value.slice(0, this.area.selectionStart));
    const { language } = this.now();
    const rank = (r) => (r.language === language ? 0 : r.language ? 2 : 1);
    const word = typed?.[1].toLowerCase();
    this.found = typed && !this.area.disabled ? this.all.filter((r) => r.name.toLowerCase().includes(word))
      .sort((a, b) => b.name.toLowerCase().startsWith(word) - a.name.toLowerCase().startsWith(word) || rank(a) - rank(b) || a.name.localeCompare(b.name)).slice(0, most) : [];
    this.at = 0;
    this.#draw();
  }

  #key(e) {
    if (!this.found.length || e.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
    if (step) {
      this.#stop(e, () => {
        this.at = (this.at + step + this.found.length) % this.found.length;
        this.#draw();
      });
    } else if (e.key === "Enter" && !e.shiftKey || e.key === "Tab") {
      this.#stop(e, () => this.#put(this.at));
    } else if (e.key === "Escape") {
      this.#stop(e, () => this.close());
    }
  }

  #stop(e, act) {
    e.preventDefault();
    e.stopImmediatePropagation();
    act();
  }

  #put(i) {
    const reply = this.found[i];
    const end = this.area.selectionStart;
    const start = end - asked.exec(this.area.value.slice(0, end))[1].length - 1;
    const { names } = this.now();
    this.area.setRangeText(reply.text.replace(/\{(customer|agent)\}/g, (all, who) => names[who]), start, end, "end");
    this.close();
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #draw() {
    show(this.list, this.found.length > 0);
    sync(this.list, this.found.map((r, i) => ({ ...r, i })), {
      key: (r) => `${r.name}/${r.language || ""}`,
      face: (r) => [r, r.i === this.at],
      make: (r) => el("li", { role: "option", id: `reply-${r.i}`, "aria-selected": String(r.i === this.at) }, el("b", {}, `/${r.name}`), el("span", {}, r.text)),
    });
    if (this.found.length) this.area.setAttribute("aria-activedescendant", `reply-${this.at}`);
    else this.area.removeAttribute("aria-activedescendant");
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }
}
