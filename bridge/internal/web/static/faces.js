// Who somebody is, as a picture: their own where there is one and the page may
// load it, else the first letters of their name.
import { home } from "./api.js";
import { el } from "./dom.js";
import { safe } from "./text.js";

const letters = (name) => name.split(/\s+/).filter(Boolean).slice(0, 2).map((w) => [...w][0].toUpperCase()).join("");

// Who gives a picture learns who looks at it: only the bridge and the sites the
// company names are asked, whatever the page's policy allows.
const allowed = (url, sites) => [home, ...sites].some((site) => URL.canParse(site) && new URL(site).origin === new URL(url).origin);

// face gives the element for a name and the address of a picture, which may come
// from these sites.
export function face(name, avatar, sites = []) {
  const initials = letters(name || "");
  const node = el("span", { className: "face", "aria-hidden": "true" }, initials);
  const src = /^https?:/.test(avatar || "") && safe(avatar);
  if (!src || !allowed(src, sites)) return node;
  const picture = el("img", { alt: "", decoding: "async", referrerPolicy: "no-referrer" });
  picture.addEventListener("load", () => node.replaceChildren(picture));
  picture.src = src;
  return node;
}
