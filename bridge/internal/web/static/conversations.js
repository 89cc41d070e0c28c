// The list of conversations: newest first, by filters that are part of the address.
import { ageText, byId, el, setText, show, sync } from "./dom.js";
import { role } from "./sequence.js";

const page = 50;
const most = 1000; // rows that are kept up to date together
const typed = 250; // a search begins when nothing was typed for so long

const filters = ["q", "state", "owner", "queue", "account", "agent", "left", "since"];

export class ConversationList {
  constructor(api) {
    Object.assign(this, { api, rows: [], size: page, dirty: true });
    const form = byId("filters");
    form.addEventListener("submit", (e) => e.preventDefault());
    form.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" || e.isComposing || e.target.closest("button")) return;
      e.preventDefault();
      document.querySelector("#rows a")?.focus();
    });
    form.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.#say(), typed);
    });
    form.addEventListener("reset", () => setTimeout(() => this.#say()));
    byId("filters-more").addEventListener("click", (e) => e.target.setAttribute("aria-expanded", String(form.classList.toggle("all"))));
    byId("more-rows").addEventListener("click", () => {
      this.size = Math.min(this.size + page, most);
      this.read();
    });
    setInterval(() => this.#ages(), 10000);
  }

  // open shows the list with the filters of an address.
  open(query) {
    const asked = new URLSearchParams(query);
    for (const name of filters) {
      const field = byId("filters").elements[name];
      const value = asked.get(name) || "";
      if (field.value !== value) field.value = value;
    }
    this.address = location.hash;
    this.size = page;
    return this.read();
  }

  // stale notes that the list may be another now.
  stale(e) { if (e.seq) this.dirty = true; }

  refresh(anyway) { if (anyway || this.dirty) return this.read(); }

  escape(e) {
    if (e.target.closest("#filters")) document.querySelector("#rows a")?.focus();
  }

  #asked() {
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(byId("filters"))) if (value.trim()) query.set(name, value.trim());
    return query;
  }

  // #say puts the filters into the address.
  #say() {
    const query = this.#asked().toString();
    const hash = `#/conversations${query ? `?${query}` : ""}`;
    if (hash === location.hash) return;
    history.replaceState(null, "", hash);
    this.open(query);
  }

  // read asks for what is shown; an answer that comes late, for filters of before,
  // is dropped.
  async read() {
    this.dirty = false;
    const query = this.#asked();
    if (query.has("since")) query.set("since", new Date(query.get("since")).toISOString());
    query.set("limit", String(this.size));
    const mine = this.asking = {};
    try {
      const { conversations = [], next } = await this.api.get(`/conversations?${query}`);
      if (mine !== this.asking) return;
      this.rows = conversations;
      show(byId("conversations-problem"), false);
      this.#draw(next);
    } catch (problem) {
      if (mine === this.asking) show(byId("conversations-problem"), true, problem.advice || problem.message);
    }
  }

  #draw(next) {
    show(byId("no-rows"), !this.rows.length);
    show(byId("more-rows"), !!next && this.size < most);
    sync(byId("rows"), this.rows, { key: (c) => c.id, face: (c) => [c, ageText(c.created), ageText(c.updated)], inPlace: true, make: row });
  }

  #ages() {
    for (const node of byId("rows").querySelectorAll("time")) setText(node, ageText(node.dateTime));
  }
}

function row(c) {
  const link = el("a", { href: `#/conversations/${encodeURIComponent(c.id)}` }, c.erased ? "erased" : c.customer?.name || c.customer?.id || "unnamed");
  link.dataset.step = "";
  return el("tr", { role: "row" },
    cell("Customer", el("span", {}, link, " ", el("span", { className: "id" }, c.id))),
    cell("State", el("span", { className: `chip ${c.state}` }, c.state)),
    cell("Owner", role(c.owner)),
    cell("Through", (c.legs || []).map((l) => l.account).join(" · ") || c.route || ""),
    cell("Queue", c.queue || "", c.position ? ` no. ${c.position}` : ""),
    cell("Agent", c.agent?.name || c.agent?.id || ""),
    cell("Begun", time(c.created)),
    cell("Changed", time(c.updated)));
}

// cell carries its column's name, which is shown where there is no room for a head.
// Like its row it says what it is: how it is laid out there would take that away.
export function cell(name, ...what) {
  const node = el("td", { role: "cell" }, ...what);
  node.dataset.name = name;
  return node;
}

// time is how long ago something was, with the moment as its title.
export function time(iso) {
  return iso ? el("time", { dateTime: iso, title: new Date(iso).toLocaleString() }, ageText(iso)) : "";
}
