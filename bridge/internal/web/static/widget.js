// The chat on a page of another site. All of it is in one element with a shadow
// root: the page's styles stay out, and ours in. What it loads at first is small;
// the chat itself comes when it is opened, or when one is under way.
import { el, setText } from "./dom.js";
import { persist, settings, stored } from "./site.js";
import { lasting, passing } from "./store.js";
import { paint } from "./tone.js";
import { speak, t } from "./words.js";

const tag = "footbridge-chat";
const small = "(max-width: 480px), (max-height: 420px)"; // as in widget.css

// start puts the chat on the page. given are the attributes of the script's
// element: key or account, language, name, color, colorDark, theme, position.
export async function start(given) {
  const site = given.key ? { publishable_key: given.key } : { account: given.account || "" };
  if (document.querySelector(tag)) return;
  const host = document.createElement(tag);
  document.body.append(host);
  const asked = Promise.all([settings(site, wait), ...["base", "chat", "widget"].map((name) => persist(() => sheet(name), wait))]);
  const [known, ...sheets] = await asked.catch((problem) => { host.remove(); throw problem; });
  const wishes = [given.language, ...navigator.languages, known.language];
  const look = { color: given.color || known.color, color_dark: given.colorDark || given.color || known.color_dark, theme: given.theme || known.theme };
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = sheets;
  new Widget(root, site, { known, look, given, ...speak(wishes, known.texts) }).begin();
}

const wait = () => {}; // nobody has asked for anything yet

// sheet makes a style sheet of a file: no policy of the page forbids one that is
// made this way.
async function sheet(name) {
  const answer = await fetch(new URL(`${name}.css`, import.meta.url), { credentials: "omit" });
  if (!answer.ok) throw new Error(`${name}.css: ${answer.status}`);
  return new CSSStyleSheet().replace(await answer.text());
}

// kept are the events that would tell the page what is done in the chat.
const kept = ["keydown", "keyup", "keypress", "beforeinput", "input", "paste", "cut", "copy", "dragenter", "dragover", "drop"];

class Widget {
  constructor(root, site, { known, look, given, language, direction }) {
    Object.assign(this, { root, site, known, given });
    this.title = known.title || t("title");
    this.opener = el("button", { type: "button", className: "opener", "aria-expanded": "false", "aria-haspopup": "dialog" }, icon(), el("span", { className: "count", hidden: true }));
    this.sheet = el("section", { className: "chat panel", role: "dialog", "aria-label": this.title, hidden: true });
    const side = ["left", "right"].includes(given.position) ? given.position : direction === "rtl" ? "left" : "right";
    const frame = el("div", { className: `footbridge ${side}`, lang: language, dir: direction }, this.sheet, this.opener);
    paint(frame, look);
    for (const type of kept) frame.addEventListener(type, (e) => e.stopPropagation());
    this.opener.addEventListener("click", () => (this.sheet.hidden ? this.open() : this.close()));
    this.count(0);
    root.append(frame);
  }

  // begin goes on with what was there before the page was loaded.
  begin() {
    if (!stored(this.site)) return;
    if (passing.getItem(this.slot) && !matchMedia(small).matches) this.show();
    else this.load().catch(wait);
  }

  get slot() { return `footbridge.open.${this.given.key || this.given.account}`; }

  async open() {
    this.show();
    (await this.load().catch(wait))?.focus();
  }

  show() {
    this.sheet.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    this.opener.setAttribute("aria-label", t("close"));
    passing.setItem(this.slot, "yes");
    this.load().then((panel) => panel.display(true), () => this.close());
  }

  close() {
    const within = this.sheet.contains(this.root.activeElement);
    this.sheet.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    this.count(0);
    passing.removeItem(this.slot);
    this.loading?.then((panel) => panel.display(false), wait);
    if (within) this.opener.focus({ preventScroll: true });
  }

  // load makes the chat, once; if it cannot be had now, the next time.
  load() {
    this.loading ??= this.make().catch((problem) => {
      this.loading = undefined;
      throw problem;
    });
    return this.loading;
  }

  async make() {
    const { Panel } = await import("./panel.js");
    const { name, language } = this.given;
    const panel = new Panel(this.sheet, this.site, {
      settings: this.known, heading: "h2", close: () => this.close(), news: (story) => this.tell(story),
      visitor: { customer: name ? { name } : {}, language: language || navigator.language.split("-")[0] },
    });
    panel.display(!this.sheet.hidden);
    panel.begin();
    return panel;
  }

  // tell counts what was said and not seen.
  tell(story) {
    const slot = `footbridge.seen.${story.id}`;
    const last = story.last?.seq || 0;
    const seen = Number(lasting.getItem(slot)) || 0;
    if (this.sheet.hidden || document.visibilityState !== "visible") {
      return this.count(story.ordered.filter((e) => e.kind === "message.created" && e.actor.role !== "customer" && e.seq > seen).length);
    }
    if (last > seen) lasting.setItem(slot, String(last));
    this.count(0);
  }

  count(unread) {
    const badge = this.opener.lastChild;
    badge.hidden = !unread;
    setText(badge, unread ? String(unread) : "");
    if (!this.sheet.hidden) return;
    const label = unread ? `${t("open")}, ${t("unread", { count: unread })}` : t("open");
    if (this.opener.getAttribute("aria-label") !== label) this.opener.setAttribute("aria-label", label);
  }
}

// icon is what somebody says, as a picture.
function icon() {
  const draw = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const svg = draw("svg", { viewBox: "0 0 24 24", width: 26, height: 26, "aria-hidden": "true", focusable: "false" });
  svg.append(draw("path", { fill: "currentColor", d: "M4 4h16a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2h-8l-5 4v-4H4a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2z" }));
  return svg;
}
