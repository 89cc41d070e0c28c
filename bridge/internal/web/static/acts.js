// What can be done at the desk, in one table: the keys, the buttons and the list
// that "?" shows are all made of it.
import { byId, el, setText, sync } from "./dom.js";

const slot = "footbridge.desk.keys";

// Acts takes rows of {id, keys, name, ready(), run(key), button, line}: button is
// the id of a button that does the same, line says that the bridge must be there.
export class Acts {
  constructor(rows, { live, places }) {
    Object.assign(this, { rows, live, places });
    this.single = localStorage.getItem(slot) !== "off";
    for (const row of rows) this.#button(row);
    document.addEventListener("keydown", (e) => this.#key(e));
    this.#list();
  }

  ready(row) { return (!row.line || this.live()) && (!row.ready || !!row.ready()); }

  // run does what an id names, if it can be done now.
  run(id, key) {
    const row = this.rows.find((r) => r.id === id);
    if (this.ready(row)) row.run(key);
  }

  // paint shows on the buttons what can be done now.
  paint() {
    for (const row of this.rows) if (row.button) byId(row.button).disabled = !this.ready(row);
  }

  #button(row) {
    if (!row.button) return;
    const button = byId(row.button);
    button.addEventListener("click", () => this.run(row.id));
    button.title = row.keys ? `${row.name} (${row.keys[0].toUpperCase()})` : row.name;
    if (row.keys) button.setAttribute("aria-keyshortcuts", `${row.keys[0]} Alt+${row.keys[0]}`);
  }

  // #key: a letter alone where nobody writes, with Alt anywhere.
  #key(e) {
    if (e.defaultPrevented || e.isComposing || document.querySelector("dialog[open]")) return;
    if ((e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === "k") return this.#take(e, "keys");
    if (e.ctrlKey || e.metaKey) return;
    const writing = e.target.matches("input:not([type=checkbox]), textarea, select");
    if (e.key === "Escape") return this.#leave(e, writing);
    const key = e.altKey ? letter(e.code) : e.key;
    if (!key || !e.altKey && (writing || !this.single && key.length === 1 && key !== "?")) return;
    const row = this.rows.find((r) => r.keys?.includes(key));
    if (row && this.ready(row)) this.#take(e, row.id, key);
  }

  #take(e, id, key) {
    e.preventDefault();
    this.run(id, key);
  }

  // #leave goes from the words being written to the talk, so that keys count.
  #leave(e, writing) {
    if (!writing || byId("scroll").hidden) return;
    e.preventDefault();
    byId("scroll").focus();
  }

  // #list is the dialog of "?": a field to find what can be done, and all of it.
  #list() {
    const find = byId("keys-find");
    const single = byId("keys-single");
    single.checked = this.single;
    single.addEventListener("change", () => {
      this.single = single.checked;
      localStorage.setItem(slot, single.checked ? "on" : "off");
    });
    find.addEventListener("input", () => this.#found());
    find.addEventListener("keydown", (e) => {
      if (e.key !== "Enter" && e.key !== "ArrowDown") return;
      e.preventDefault();
      const first = byId("keys-list").querySelector("button:enabled");
      if (e.key === "Enter") first?.click();
      else first?.focus();
    });
    byId("keys-list").addEventListener("keydown", (e) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
      if (!step) return;
      e.preventDefault();
      const all = [...byId("keys-list").querySelectorAll("button:enabled")];
      (all[all.indexOf(document.activeElement) + step] || find).focus();
    });
    byId("keys-list").addEventListener("click", (e) => {
      const pressed = e.target.closest("button");
      if (!pressed) return;
      shut();
      const [kind, id] = [pressed.dataset.kind, pressed.closest("li").dataset.key];
      if (kind === "place") this.places(id);
      else this.run(id, this.rows.find((r) => r.id === id).keys?.[0]);
    });
    byId("keys-close").addEventListener("click", shut);
  }

  // help opens the list.
  help() {
    byId("keys-find").value = "";
    this.#found();
    byId("keys").showModal();
    byId("keys-find").focus();
  }

  #found() {
    const words = byId("keys-find").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (name) => words.every((w) => name.toLowerCase().includes(w));
    const acts = this.rows.filter((r) => fits(r.name)).map((r) => ({ kind: "act", key: r.id, name: r.name, keys: r.keys || [], off: !this.ready(r) }));
    const places = words.length ? this.places().filter((p) => fits(p.name)).slice(0, 8).map((p) => ({ kind: "place", key: p.id, name: `Open ${p.name}`, keys: [], off: false })) : [];
    const all = [...acts.filter((a) => !a.off), ...places, ...acts.filter((a) => a.off)];
    setText(byId("keys-none"), all.length ? "" : "Nothing is called that.");
    sync(byId("keys-list"), all, { key: (a) => a.key, face: (a) => a, make: line });
  }
}

// shut closes the list. What was focused in it is not written into any more.
function shut() {
  const box = byId("keys");
  box.close();
  if (box.contains(document.activeElement)) document.activeElement.blur();
}

function line({ kind, key, name, keys, off }) {
  const press = el("button", { type: "button", className: "plain", disabled: off }, el("span", { className: "grow" }, name),
    ...keys.slice(0, 2).map((k) => el("kbd", {}, k.length === 1 ? k.toUpperCase() : k)));
  press.dataset.kind = kind;
  press.dataset.act = key;
  return el("li", {}, press);
}

// letter is what a key with Alt stands for, whatever the keyboard makes of it.
function letter(code) {
  const found = /^(?:Key([A-Z])|Digit([1-9]))$/.exec(code);
  return found ? (found[1] || found[2]).toLowerCase() : { Slash: "/", Home: "Home", End: "End" }[code];
}
