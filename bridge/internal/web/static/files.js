// Files: giving one by button, paste or drop, and showing one that was sent.
import { byId, el } from "./dom.js";
import { link, safe } from "./text.js";

// offer lets files be given: with the button attach and its picker, by pasting
// into text, by dropping on zone, which holds all three. ready tells whether one
// may be given now; take gets each file in turn and gives a promise.
export function offer({ zone, ready, take, attach = byId("attach"), pick = byId("pick"), text = byId("text") }) {
  const all = async (files) => {
    if (!ready()) return;
    zone.classList.add("sending-file");
    try {
      for (const file of files) await take(file);
    } finally {
      zone.classList.remove("sending-file");
    }
  };
  attach.addEventListener("click", () => pick.click());
  pick.addEventListener("change", () => {
    const files = [...pick.files];
    pick.value = "";
    all(files);
  });
  text.addEventListener("paste", (e) => {
    if (!e.clipboardData?.files.length) return;
    e.preventDefault();
    all([...e.clipboardData.files]);
  });
  zone.addEventListener("dragover", (e) => { if ([...e.dataTransfer.types].includes("Files")) e.preventDefault(); });
  zone.addEventListener("drop", (e) => {
    if (!e.dataTransfer.files.length) return;
    e.preventDefault();
    all([...e.dataTransfer.files]);
  });
}

// media gives the nodes of a file. find gives a promise of a link to the bridge's
// own copy: {url, kind, name}; links are good for an hour, so a later press asks for
// a new one.
export function media(c, find) {
  const name = c.name || `${c.kind || "file"}${c.mime ? ` (${c.mime})` : ""}`;
  const size = c.size ? ` · ${bytes(c.size)}` : "";
  const caption = c.caption ? el("div", {}, c.caption) : "";
  if (!c.blob || !find) return [el("span", { className: "file" }, c.url && safe(c.url) ? link(c.url, name) : name, size), caption];
  const frame = el("span", { className: c.kind === "image" ? "file picture" : "file" }, name, size);
  find(c.blob).then((found) => frame.replaceChildren(...copy(c, found, name, size, find)),
    (problem) => frame.replaceChildren(problem.status === 404 && c.url ? link(c.url, name) : name, ` · ${problem.message}`));
  return [frame, caption];
}

const fresh = 45 * 60000; // a link is taken for good this long, in milliseconds

// copy shows a file that is to be had.
function copy(c, found, name, size, find) {
  if (!found.expires) return [link(found.url, name), size]; // it is the vendor's own
  const open = el("a", { href: found.url, download: found.name || "", target: "_blank", rel: "noopener" }, found.kind === "image" ? el("img", { src: found.url, alt: c.caption || name }) : name);
  let since = Date.now();
  open.addEventListener("click", async (e) => {
    if (Date.now() - since < fresh) return;
    e.preventDefault();
    open.href = (await find(c.blob)).url;
    since = Date.now();
    open.click();
  });
  return found.kind === "image" ? [open] : [open, size];
}

function bytes(n) {
  const steps = [[1e6, "MB"], [1e3, "kB"], [1, "B"]];
  const [size, unit] = steps.find(([s]) => n >= s) || [1, "B"];
  return `${Math.round((n / size) * 10) / 10} ${unit}`;
}
