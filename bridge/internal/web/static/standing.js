// How accounts, adapters and queues stand, and what passes between the accounts.
import { cell, time } from "./conversations.js";
import { ageText, byId, el, setText, show, sync } from "./dom.js";
import { role } from "./sequence.js";

export class Standing {
  constructor(api, { operator, toast, counted }) {
    Object.assign(this, { api, operator, toast, counted, all: [] });
    show(byId("may-not-drain"), !operator);
    byId("accounts").addEventListener("click", (e) => {
      const button = e.target.closest("button");
      const account = button && this.all.find((a) => a.name === button.closest("li").dataset.key);
      if (!account) return;
      if (account.drained) this.#drain(account.name, "resume");
      else this.#ask(account.name);
    });
    byId("drain").addEventListener("close", () => {
      if (byId("drain").returnValue === "yes") this.#drain(this.asked, "drain");
    });
  }

  #ask(name) {
    this.asked = name;
    setText(byId("drain-head"), `Drain ${name}?`);
    byId("drain").returnValue = "";
    byId("drain").showModal();
  }

  async #drain(name, what) {
    try {
      await this.api.post(`/accounts/${encodeURIComponent(name)}/${what}`, {});
      this.toast(what === "drain" ? `${name} takes nothing new.` : `${name} takes what is new again.`);
    } catch (problem) {
      this.toast(problem.advice || problem.message);
    }
    await this.read();
  }

  open() {
    this.shown = true;
    return this.read();
  }

  leave() { this.shown = false; }

  // read looks after the accounts, and after the rest while it is shown.
  async read() {
    try {
      const paths = ["/accounts", ...(this.shown ? ["/adapters", "/queues", "/matrix"] : [])];
      const [{ accounts = [] }, { adapters = [] } = {}, { queues = [] } = {}, { pairings = [] } = {}] = await Promise.all(paths.map((path) => this.api.get(path)));
      show(byId("accounts-problem"), false);
      this.all = accounts;
      this.counted(accounts.filter((a) => trouble(a)).length);
      sync(byId("account-names"), accounts, { key: (a) => a.name, face: (a) => a.name, make: (a) => el("option", { value: a.name }) });
      sync(byId("accounts"), accounts, { key: (a) => a.name, face: (a) => [a, Math.floor(Date.now() / 10000)], inPlace: true, make: (a) => card(a, this.operator) });
      sync(byId("adapters"), adapters, { key: (a) => a.name, face: (a) => [a, Math.floor(Date.now() / 10000)], inPlace: true, make: adapter });
      sync(byId("queues"), queues, { key: (q) => q.name, face: (q) => q, inPlace: true, make: queue });
      drawMatrix(byId("matrix"), pairings);
    } catch (problem) {
      show(byId("accounts-problem"), true, problem.advice || problem.message);
    }
  }
}

// trouble is whether somebody should look at an account.
export const trouble = (a) => !a.ready || (a.guards || []).some((g) => g.state !== "closed") || (a.feeds || []).some((f) => !f.up);

function card(a, operator) {
  const bad = trouble(a);
  const marks = [a.drained && el("span", { className: "chip warm" }, "drained: takes nothing new"),
    a.allow_unauthenticated && el("span", { className: "chip alarm" }, "answers anybody: no authentication")].filter(Boolean);
  const node = el("li", { className: `card ${bad ? "bad" : "good"}`, tabIndex: 0 },
    el("h3", {}, el("span", { className: `dot ${bad ? "open" : "ready"}`, role: "img", "aria-label": bad ? "in trouble" : "ready" }), a.name),
    el("p", { className: "small quiet" }, [a.adapter, a.version, role(a.role)].filter(Boolean).join(" · ")),
    ...marks,
    a.unready ? el("p", { className: "why" }, a.unready) : "",
    ...(a.guards || []).map(guard),
    ...(a.feeds || []).map(feed),
    a.backlog ? el("p", { className: "small" }, `${a.backlog} ${a.backlog === 1 ? "frame waits" : "frames wait"} for a turn`) : "",
    ...(a.assumptions || []).map((text) => el("p", { className: "small quiet" }, `Assumed: ${text}`)),
    el("button", { type: "button", disabled: !operator, "aria-label": `${a.drained ? "Resume" : "Drain"} ${a.name}`, "aria-describedby": operator ? undefined : "may-not-drain" }, a.drained ? "Resume" : "Drain"));
  node.dataset.step = "";
  return node;
}

const states = new Map([["closed", "answers"], ["open", "is not called: breaker open"], ["half_open", "is being tried again"]]);

function guard(g) {
  const next = g.next && ageText(new Date().toISOString(), new Date(g.next).getTime());
  return el("p", { className: `guard small ${g.state}` },
    el("b", {}, g.host), ` ${states.get(g.state) || g.state}`, g.since ? el("span", {}, ", since ", time(g.since)) : "",
    g.state !== "closed" && g.reason ? `, because: ${g.reason}` : "", next ? `, next try in ${next}` : "");
}

function feed(f) {
  return el("p", { className: `guard small ${f.up ? "closed" : "open"}` },
    el("b", {}, f.name), f.up ? " is listened to" : " is not listened to", el("span", {}, ", since ", time(f.since)), !f.up && f.reason ? `, because: ${f.reason}` : "");
}

function adapter(a) {
  const well = a.state === "running" && a.breaker !== "open";
  const node = el("tr", { role: "row", className: well ? "" : "bad" },
    cell("Adapter", [a.name, a.version].filter(Boolean).join(" ")), cell("State", [a.state, a.reason].filter(Boolean).join(": ")),
    cell("Breaker", (a.breaker || "").replace("_", " ")), cell("Restarts", String(a.restarts)), cell("Since", time(a.since)), cell("Sandbox", a.sandbox || ""));
  return node;
}

function queue(q) {
  const why = q.refusal ? q.refusal.replaceAll("_", " ") : "yes";
  return el("tr", { role: "row" }, cell("Queue", q.name || "(none)"), cell("Waiting", `${q.waiting}${q.max_waiting ? ` of ${q.max_waiting}` : ""}`),
    cell("Agents", `${q.available} available`), cell("Takes hand-offs", q.refusal ? `no: ${why}` : why));
}

// drawMatrix shows a column a pairing and a row a capability.
function drawMatrix(table, pairings) {
  const face = JSON.stringify(pairings);
  if (table.dataset.face === face) return;
  table.dataset.face = face;
  const names = [...new Set(pairings.flatMap((p) => Object.keys(p.levels)))];
  const head = (p) => [p.front, p.virtual_agent, p.back].filter(Boolean).map((x) => x.account).join(" → ");
  table.replaceChildren(
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Capability"), ...pairings.map((p) => el("th", { scope: "col" }, head(p))))),
    el("tbody", {}, ...names.map((name) => el("tr", {}, el("th", { scope: "row" }, name.replaceAll("_", " ")),
      ...pairings.map((p) => el("td", { className: `level ${p.levels[name] || ""}` }, p.levels[name] || "–"))))));
}
