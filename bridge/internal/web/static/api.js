// The native API as the pages use it.

// home is where the bridge is: these modules come from there, whatever page they
// are on.
export const home = new URL("/", import.meta.url);

const base = new URL("api/v1", home).href;
const patience = 20000; // for one request, in milliseconds
const filePatience = 120000; // for one with a file

// Problem is an answer that is no success, or none at all (status 0).
export class Problem extends Error {
  constructor(status, doc = {}) {
    super(doc.detail || doc.title || doc.code || (status ? `The bridge answered ${status}.` : "The bridge cannot be reached."));
    this.status = status;
    this.code = doc.code || "";
    this.mend = doc.mend || "";
  }

  // advice is what happened and what to do about it, as sentences.
  get advice() {
    const mend = this.mend && ` ${this.mend[0].toUpperCase()}${this.mend.slice(1)}.`;
    return this.message + mend;
  }

  // final says that the same request would get the same answer.
  get final() { return this.status >= 400 && this.status < 500 && ![401, 408, 425, 429].includes(this.status); }
}

// newKey makes an Idempotency-Key. It works on plain HTTP too, where
// crypto.randomUUID does not.
export function newKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

// Api speaks for one person: by cookie, or with the token of one conversation.
export class Api {
  constructor({ token, unauthorized } = {}) {
    this.token = token;
    this.unauthorized = unauthorized;
  }

  get(path) { return this.request("GET", path); }
  post(path, body, key = newKey()) { return this.request("POST", path, body, key); }
  put(path, body) { return this.request("PUT", path, body, newKey()); }
  // file asks for a link to a file of a conversation.
  async file(blob) {
    const link = await this.get(`/media/${encodeURIComponent(blob)}`);
    return { ...link, url: new URL(link.url, home).href };
  }
  // upload gives a file to a conversation; the answer is the content to say.
  async upload(conversation, file) {
    const path = `/media?conversation=${encodeURIComponent(conversation)}&name=${encodeURIComponent(file.name)}`;
    return { type: "media", ...await this.request("POST", path, file) };
  }
  // socket is the address of the live line.
  socket(query) { return `${base.replace(/^http/, "ws")}/socket?${query}`; }
  del(path) { return this.request("DELETE", path, undefined, newKey()); }

  async request(method, path, body, key) {
    const headers = { Accept: "application/json" };
    const file = body instanceof Blob;
    if (body !== undefined) headers["Content-Type"] = file ? body.type || "application/octet-stream" : "application/json";
    if (key) headers["Idempotency-Key"] = key;
    if (this.token) headers.Authorization = `Bearer ${this.token}`;
    const answer = await fetch(base + path, {
      method, headers, body: file || body === undefined ? body : JSON.stringify(body), cache: "no-store",
      credentials: this.token ? "omit" : "same-origin", signal: AbortSignal.timeout(file ? filePatience : patience),
    }).catch(() => { throw new Problem(0); });
    const doc = await answer.json().catch(() => ({}));
    if (answer.ok) return doc;
    const problem = new Problem(answer.status, doc);
    if (answer.status === 401) this.unauthorized?.(problem);
    throw problem;
  }

  // all reads a list to its end.
  async all(path, field) {
    const out = [];
    for await (const page of this.pages(path, field)) out.push(...page);
    return out;
  }

  // pages reads a list page by page.
  async *pages(path, field) {
    for (let next = ""; next !== null;) {
      const page = await this.get(`${path}${path.includes("?") ? "&" : "?"}limit=500${next ? `&after=${encodeURIComponent(next)}` : ""}`);
      yield page[field] || [];
      next = page.next || null;
    }
  }
}
