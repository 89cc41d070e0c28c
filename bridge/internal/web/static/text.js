// Words in the three formats, as elements. Nothing is ever parsed as HTML by the
// browser: a page shows what somebody else wrote.
import { home } from "./api.js";
import { el } from "./dom.js";

const address = /\bhttps?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]}]/g;

// words gives the nodes of a text content.
export function words(text, format) {
  if (format === "markdown") return markdown(text);
  return linked(format === "html" ? plain(text) : text);
}

// safe is an address a link may lead to, or nothing. Relative ones are the
// bridge's own files.
export function safe(url) {
  try {
    const u = new URL(url, home);
    return ["http:", "https:", "mailto:", "tel:"].includes(u.protocol) ? u.href : "";
  } catch {
    return "";
  }
}

export function link(url, text) {
  const href = safe(url);
  if (!href) return document.createTextNode(text || url);
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text || url);
}

// linked makes addresses in plain words clickable.
function linked(text) {
  const nodes = [];
  let from = 0;
  for (const found of text.matchAll(address)) {
    nodes.push(document.createTextNode(text.slice(from, found.index)), link(found[0]));
    from = found.index + found[0].length;
  }
  nodes.push(document.createTextNode(text.slice(from)));
  return nodes;
}

const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: " " };

// plain is what an HTML text says without its tags.
function plain(html) {
  return html
    .replace(/<(script|style)\b[\s\S]*?<\/\1\s*>/gi, "")
    .replace(/\s*<li\b[^>]*>/gi, "\n• ")
    .replace(/<br\b[^>]*>|<\/(p|div|h[1-6]|tr|ul|ol)\s*>/gi, "\n")
    .replace(/<\/?[a-z!][^>]*>/gi, "")
    .replace(/&(#x?[0-9a-f]+|[a-z]+);/gi, (all, name) => entity(name) ?? all)
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function entity(name) {
  if (name[0] !== "#") return named[name.toLowerCase()];
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
}

// markdown shows paragraphs, lists, bold, italics, code and links.
function markdown(text) {
  return text.trim().split(/\n{2,}/).flatMap((block) => paragraphs(block.split("\n")));
}

const bullet = /^\s*(?:[-*+]|\d+[.)])\s+/;

function paragraphs(lines) {
  const nodes = [];
  for (let i = 0; i < lines.length;) {
    const listed = bullet.test(lines[i]);
    let end = i + 1;
    while (end < lines.length && bullet.test(lines[end]) === listed) end++;
    const part = lines.slice(i, end);
    nodes.push(listed
      ? el("ul", {}, ...part.map((l) => el("li", {}, ...spans(l.replace(bullet, "")))))
      : el("p", {}, ...spans(part.map((l) => l.replace(/^#{1,6}\s+/, "")).join("\n"))));
    i = end;
  }
  return nodes;
}

const span = /\x60([^\x60\n]+)\x60|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\s][^*\n]*)\*|\[([^\]\n]+)\]\(([^)\s]+)\)/g;

function spans(text) {
  const nodes = [];
  let from = 0;
  for (const m of text.matchAll(span)) {
    nodes.push(...linked(text.slice(from, m.index)), piece(m));
    from = m.index + m[0].length;
  }
  nodes.push(...linked(text.slice(from)));
  return nodes;
}

function piece([, code, bold, bold2, italic, label, url]) {
  if (code) return el("code", {}, code);
  if (bold || bold2) return el("strong", {}, bold || bold2);
  if (italic) return el("em", {}, italic);
  return link(url, label);
}
