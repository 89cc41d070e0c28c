// Building and refreshing elements. Text goes in as text only.
import { passing } from "./store.js";
import { locale } from "./words.js";

// el makes an element: el("p", {className: "x"}, "words", child).
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name.includes("-") || name === "role" || name === "for") node.setAttribute(name, value);
    else node[name] = value;
  }
  node.append(...children.filter((c) => c !== null && c !== undefined && c !== ""));
  return node;
}

// own is what a table has under a name that somebody else chose, and nothing of
// what every object has.
export const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

export const byId = (id) => document.getElementById(id);

// show hides or shows an element, and sets its text where one is given.
export function show(node, visible, text) {
  node.hidden = !visible;
  if (text !== undefined) setText(node, text);
}

// setText leaves an element alone that says so already, so that screen readers
// are not told twice.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// sync makes parent's children be the items, in order. An item whose face (any
// JSON value) is what it was keeps its element; one with another face gets a new
// one or, with inPlace, has its own changed, so that what is being pressed stays
// under the finger. Elements changed in place must have no listeners of their own.
export function sync(parent, items, { key, face, make, inPlace }) {
  const kept = new Map();
  const wanted = new Set(items.map(key));
  for (const node of [...parent.children]) {
    if (wanted.has(node.dataset.key)) kept.set(node.dataset.key, node);
    else node.remove();
  }
  let at = parent.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const look = JSON.stringify(face(item));
    let node = kept.get(id);
    if (node?.dataset.face !== look) {
      const fresh = make(item);
      fresh.dataset.key = id;
      fresh.dataset.face = look;
      if (node && inPlace) {
        change(node, fresh);
      } else {
        if (at === node) at = node?.nextElementSibling ?? null;
        node?.replaceWith(fresh);
        node = fresh;
      }
    }
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

// change makes an element look like another and keeps it.
function change(old, fresh) {
  if (old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType === Node.TEXT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const [was, now] = [[...old.childNodes], [...fresh.childNodes]];
  now.forEach((node, i) => (was[i] ? change(was[i], node) : old.append(node)));
  was.slice(now.length).forEach((node) => node.remove());
}

// dayText is the day of a time, the close ones by name.
export function dayText(iso) {
  const t = new Date(iso);
  if (Number.isNaN(t.getTime())) return "";
  const day = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate());
  const ago = Math.round((day(new Date()) - day(t)) / 86400000);
  if (ago === 0 || ago === 1) return ago ? "Yesterday" : "Today";
  const year = t.getFullYear() === new Date().getFullYear() ? {} : { year: "numeric" };
  return t.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", ...year });
}

export function timeText(iso) {
  const t = new Date(iso);
  if (!iso || Number.isNaN(t.getTime())) return "";
  const day = t.toDateString() === new Date().toDateString() ? {} : { day: "numeric", month: "short" };
  return t.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit", ...day });
}

export function timeNode(iso) {
  return el("time", { dateTime: iso || "", title: iso ? new Date(iso).toLocaleString(locale()) : "" }, timeText(iso));
}

// ageText is how long ago something was, in one unit.
export function ageText(iso, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - new Date(iso).getTime()) / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

// grow keeps a text area as high as its words, up to its style's limit.
export function grow(area) {
  if (CSS.supports("field-sizing", "content")) return; // the browser does it, and cheaper
  area.style.height = "auto";
  area.style.height = `${area.scrollHeight + 2}px`;
}

// onEnter calls act when Enter is pressed in a text area. Shift and Enter is a
// new line. Keyboards on glass may report no key but only the line break.
export function onEnter(area, act) {
  let shifted = false;
  area.addEventListener("keydown", (e) => {
    shifted = e.shiftKey;
    if (e.key !== "Enter" || e.shiftKey || e.isComposing) return;
    e.preventDefault();
    act();
  });
  area.addEventListener("beforeinput", (e) => {
    if (e.inputType !== "insertLineBreak" && !(e.inputType === "insertText" && e.data === "\n") || shifted) return;
    e.preventDefault();
    act();
  });
}

// atEnd tells whether the reader sees the newest line.
export const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;

// drafts keeps what is being written through a reload.
export const drafts = {
  get: (id) => passing.getItem(`footbridge.draft.${id}`) || "",
  set(id, text) {
    if (text) passing.setItem(`footbridge.draft.${id}`, text);
    else passing.removeItem(`footbridge.draft.${id}`);
  },
};
