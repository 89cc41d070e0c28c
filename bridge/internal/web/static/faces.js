// Who somebody is, as a picture: their own where there is one and the page may
// load it, else the first letters of their name.
import { el } from "./dom.js";
import { safe } from "./text.js";

const letters = (name) => name.split(/\s+/).filter(Boolean).slice(0, 2).map((w) => [...w][0].toUpperCase()).join("");

// face gives the element for a name and the address of a picture.
export function face(name, avatar) {
  const initials = letters(name || "");
  const node = el("span", { className: "face", "aria-hidden": "true" }, initials);
  const src = /^https?:/.test(avatar || "") && safe(avatar);
  if (!src) return node;
  const picture = el("img", { alt: "", decoding: "async", referrerPolicy: "no-referrer" });
  picture.addEventListener("load", () => node.replaceChildren(picture));
  picture.src = src;
  return node;
}
