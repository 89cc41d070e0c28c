// The operators' and supervisors' page.
import { Api } from "./api.js";
import { ConversationList } from "./conversations.js";
import { byId, setText, show } from "./dom.js";
import { enter, leave } from "./gate.js";
import { DeadLetters } from "./letters.js";
import { Live } from "./live.js";
import { Picture } from "./picture.js";
import { Standing } from "./standing.js";

const title = document.title;
const every = 10000; // what no event tells of is read so often, in milliseconds
const settle = 400; // changes this close are looked up together

// Console is what is shown, and who tells it what is new. The address says which
// part is shown, so that a link or a reload leads to the same.
class Console {
  constructor(me) {
    this.api = new Api({ unauthorized: () => location.reload() });
    const operator = me.roles.includes("operator");
    this.letters = new DeadLetters(this.api, { operator, toast, counted: (n) => count("waiting-letters", n, "to look at") });
    this.standing = new Standing(this.api, { operator, toast, counted: (n) => count("trouble", n, "in trouble") });
    this.list = new ConversationList(this.api);
    this.picture = new Picture(this.api, { toast });
    this.parts = { conversations: this.list, conversation: this.picture, accounts: this.standing, "dead-letters": this.letters };
    show(byId("bar"), true);
    show(byId("main"), true);
    setText(byId("me"), `${me.name} · ${operator ? "operator" : "supervisor"}`);
    byId("leave").addEventListener("click", () => leave(this.api));
    byId("keys-button").addEventListener("click", () => byId("keys").showModal());
    addEventListener("hashchange", () => this.go());
    addEventListener("keydown", (e) => this.key(e));
    this.live = new Live(this.api, {
      history: async () => this.refresh(), take: (e) => this.take(e), back: () => this.refresh(),
      state: (now) => setText(byId("connection"), now === "live" ? "" : "Reconnecting…"),
    });
    setInterval(() => this.read(), every);
    this.go();
    this.read();
  }

  // go shows what the address says.
  go() {
    const [path, query = ""] = location.hash.slice(2).split("?");
    const [part, id] = path.split("/");
    const name = part === "conversations" && id ? "conversation" : Object.hasOwn(this.parts, part) ? part : "conversations";
    const shown = this.parts[name];
    if (this.shown !== shown) this.shown?.leave?.();
    this.shown = shown;
    for (const other of Object.keys(this.parts)) show(byId(`view-${other}`), other === name);
    for (const tab of ["conversations", "accounts", "dead-letters"]) {
      const here = tab === name || tab === "conversations" && name === "conversation";
      if (here) byId(`tab-${tab}`).setAttribute("aria-current", "page");
      else byId(`tab-${tab}`).removeAttribute("aria-current");
    }
    document.title = `${{ conversation: "Conversation", accounts: "Accounts", "dead-letters": "Dead letters" }[name] || "Conversations"} · ${title}`;
    if (shown === this.picture) byId("back").href = this.list.address || "#/conversations";
    shown.open(name === "conversation" ? decoded(id) : query);
  }

  // take notes an event: what is shown is read anew, a little later.
  take(e) {
    this.picture.stale(e);
    this.list.stale(e);
    this.due ??= setTimeout(() => {
      this.due = undefined;
      this.shown.refresh?.();
    }, settle);
  }

  refresh() { return this.shown?.refresh?.(true); }

  // read looks after what no event tells of.
  read() {
    if (document.visibilityState === "hidden") return;
    this.letters.read();
    this.standing.read();
  }

  key(e) {
    if (e.altKey || e.ctrlKey || e.metaKey || document.querySelector("dialog[open]")) return;
    if (e.key === "Escape") return this.shown.escape?.(e);
    if (e.target.closest("input, textarea, select")) return;
    const went = this.prefix === "g" && { c: "conversations", a: "accounts", d: "dead-letters" }[e.key];
    this.prefix = e.key;
    if (went) return void (location.hash = `#/${went}`);
    const act = { "/": () => this.search(), "?": () => byId("keys").showModal(), j: () => step(1), k: () => step(-1) }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  }

  search() {
    if (this.shown === this.list) return byId("q").focus();
    location.hash = this.list.address || "#/conversations";
    requestAnimationFrame(() => byId("q").focus());
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// step moves the focus among what is listed.
function step(by) {
  const all = [...document.querySelectorAll("main > section:not([hidden]) [data-step]")].filter((node) => node.offsetParent);
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function count(id, n, what) {
  show(byId(id), n > 0, n ? String(n) : "");
  byId(id).title = n ? `${n} ${what}` : "";
}

let toasting;

function toast(text) {
  show(byId("toast"), true, text);
  clearTimeout(toasting);
  toasting = setTimeout(() => show(byId("toast"), false), 6000);
}

enter((me) => new Console(me));
