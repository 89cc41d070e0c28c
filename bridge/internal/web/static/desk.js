// The live agents' page.
import { Api } from "./api.js";
import { Board } from "./board.js";
import { byId, el, setText, show, sync } from "./dom.js";
import { drawMine, drawWaiting, listen, tick, unreadAll } from "./lists.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Room, ask } from "./room.js";

const title = document.title;
const kept = (name) => sessionStorage.getItem(`footbridge.desk.${name}`) || localStorage.getItem(`footbridge.desk.${name}`) || "";

// keep remembers who this tab is, and whom a new tab should ask to be.
function keep(name, value) {
  sessionStorage.setItem(`footbridge.desk.${name}`, value);
  localStorage.setItem(`footbridge.desk.${name}`, value);
}

const refusals = {
  refused: "Your company account may not work here. Whoever runs the bridge finds the reason in its log.",
  provider_down: "Your company's sign-in cannot be reached. Try again in a minute, or use a token.",
};

// Signing in: a link's token, a cookie from before, the company's provider, or the
// form.
async function enter() {
  const said = new URLSearchParams(location.hash.slice(1));
  const token = said.get("token");
  const refusal = refusals[said.get("problem")];
  history.replaceState(null, "", location.pathname + location.search);
  if (refusal) return form({ problem: new Error(refusal) });
  const api = new Api();
  let me;
  try {
    me = token ? await api.post("/session", { token }) : await api.get("/me");
  } catch (problem) {
    return form({ problem: token || problem.status !== 401 ? problem : undefined });
  }
  return admit(me);
}

// admit goes on once somebody is signed in: a token for many agents asks which.
function admit(me) {
  const agent = me.agent || kept("agent");
  if (!me.roles.includes("live_agent")) return form({ problem: new Error("This token is not for live agents.") });
  if (!agent || !sessionStorage.getItem("footbridge.desk.agent") && !me.agent) return form({ me });
  work(me, { role: "live_agent", id: agent, name: kept("agent") === agent && kept("name") || undefined });
}

// form asks for a token, or with one for who it is.
function form({ problem, me }) {
  show(byId("sign"), true);
  show(byId("sign-problem"), !!problem, problem?.advice || problem?.message || "");
  for (const id of ["sign-token-row"]) show(byId(id), !me);
  show(byId("sign-agent-row"), !me?.agent);
  byId("sign-token").required = !me;
  byId("sign-agent").required = !!me && !me.agent;
  byId("sign-agent").value ||= kept("agent");
  byId("sign-name").value ||= kept("name");
  byId("sign").onsubmit = async (e) => {
    e.preventDefault();
    try {
      const who = me || await new Api().post("/session", { token: byId("sign-token").value.trim() });
      byId("sign-token").value = "";
      keep("agent", who.agent || byId("sign-agent").value.trim());
      keep("name", byId("sign-name").value.trim());
      show(byId("sign"), false);
      admit(who);
    } catch (refused) {
      form({ problem: refused, me });
    }
  };
  byId(me ? "sign-agent" : "sign-token").focus();
}

// work is the desk itself.
function work(me, actor) {
  const api = new Api({ unauthorized: () => location.reload() });
  const desk = { chosen: "", drawing: undefined };
  const refresh = () => {
    desk.drawing ??= requestAnimationFrame(() => {
      desk.drawing = undefined;
      paint();
    });
  };
  const board = new Board(api, { agent: actor.id, changed: refresh });
  const take = (e) => {
    if (e.actor?.role === "live_agent" && e.actor.id === actor.id) outbox.seen(`/conversations/${encodeURIComponent(e.conversation)}/events`, e);
    board.take(e);
  };
  const outbox = new Outbox(api, { name: `desk.${actor.id}`, storage: sessionStorage, changed: refresh, delivered: (item, e) => take(e) });
  const room = new Room(board, outbox, { actor, toast, chosen: (id) => choose(id) });
  const state = new State(api, actor);
  const accounts = new Accounts(api, me.roles.some((r) => ["operator", "supervisor"].includes(r)));

  function choose(id) {
    desk.chosen = id;
    sessionStorage.setItem("footbridge.desk.open", id);
    refresh();
  }

  async function accept(id) {
    const taken = await room.command("handoff.accepted", {}, { id });
    if (taken) room.open(id);
    return taken;
  }

  function decline(id) {
    if (board.offeredToMe(board.rows.get(id))) return room.command("handoff.declined", { reason: "busy" }, { id });
    desk.declining = id;
    byId("turn-down").showModal();
  }

  // next takes the first that is still there to be taken.
  async function next() {
    for (const row of board.waiting().filter((r) => board.mayTake(r))) if (await accept(row.id)) return;
  }

  function paint() {
    const waiting = board.waiting();
    setText(byId("waiting-head"), waiting.length ? `Waiting · ${waiting.length}` : "Waiting");
    byId("next").disabled = !waiting.some((r) => board.mayTake(r));
    drawWaiting(byId("waiting"), board, desk.chosen);
    drawMine(byId("mine"), board, desk.chosen);
    room.paint();
    const unread = unreadAll(board);
    document.title = unread ? `(${unread}) ${title}` : waiting.length ? `${waiting.length} waiting · ${title}` : title;
  }

  function close(id) {
    board.held.delete(id);
    board.rows.delete(id);
    if (desk.chosen === id) room.open("");
    refresh();
  }

  const connection = (now) => {
    setText(byId("connection"), now === "live" ? "" : "Reconnecting…");
    state.connected(now === "live");
  };

  show(byId("bar"), true);
  show(byId("desk"), true);
  setText(byId("me"), actor.name ? `${actor.name} (${actor.id})` : actor.id);
  ask("", "turn-down", () => {}, ({ reason }) => room.command("handoff.declined", { reason }, { id: desk.declining }));
  const open = (id) => room.open(id);
  listen(byId("waiting"), { open, accept, decline });
  listen(byId("mine"), { open, close });
  byId("next").addEventListener("click", next);
  byId("leave").addEventListener("click", () => leave(api, state));
  for (const event of ["visibilitychange", "focus"]) addEventListener(event, refresh);
  document.addEventListener("visibilitychange", refresh);
  room.live = new Live(api, {
    agent: actor.id, history: () => board.load().then(() => { board.first?.(); board.first = undefined; }), take, state: connection,
    back: () => {
      outbox.kick();
      state.say();
    },
  });
  const before = sessionStorage.getItem("footbridge.desk.open");
  board.first = () => { if (board.rows.has(before)) room.open(before); };
  state.start();
  accounts?.start();
  setInterval(() => {
    tick(byId("desk"));
    refresh();
  }, 5000);
}

// State is what the agent says of themselves.
class State {
  constructor(api, actor) {
    Object.assign(this, { api, actor, path: `/agents/${encodeURIComponent(actor.id)}/state` });
  }

  start() {
    const select = byId("state");
    select.value = sessionStorage.getItem("footbridge.desk.state") || "available";
    select.addEventListener("change", () => this.say());
    this.say();
  }

  async say(state = byId("state").value) {
    sessionStorage.setItem("footbridge.desk.state", state);
    this.show(state);
    try {
      const answer = await this.api.put(this.path, { state, name: this.actor.name });
      this.show(answer.state || state);
    } catch (problem) {
      if (problem.status && problem.status !== 401) toast(problem.message);
    }
  }

  connected(live) { if (!live) this.show("down"); else this.show(byId("state").value); }

  show(state) { byId("dot").className = `dot ${state}`; }
}

// Accounts is the line of backends and how their breakers stand.
class Accounts {
  // Live agents see the accounts in trouble; who runs the bridge sees all.
  constructor(api, all) { this.api = api; this.all = all; }

  start() {
    this.read();
    setInterval(() => this.read(), 15000);
  }

  async read() {
    const { accounts = [] } = await this.api.get("/accounts").catch(() => ({}));
    sync(byId("accounts"), accounts.filter((a) => this.all || standing(a) !== "ready"), {
      key: (a) => a.name,
      face: (a) => a,
      make: (a) => el("li", { title: describe(a), className: standing(a) === "ready" ? "fine" : "" }, el("span", { className: `dot ${standing(a)}` }), a.name, standing(a) === "ready" ? "" : ` · ${standing(a).replace("_", " ")}`),
    });
  }
}

const standing = (a) => Object.values(a.breakers || {}).find((s) => s !== "closed") || (a.ready ? "ready" : "unready");
const describe = (a) => [a.adapter, a.role, a.unready, ...Object.entries(a.breakers || {}).map(([host, s]) => `${host}: ${s}`)].filter(Boolean).join(" · ");

async function leave(api, state) {
  await state.say("offline").catch(() => {});
  await api.del("/session").catch(() => {});
  for (const name of ["agent", "open", "state"]) sessionStorage.removeItem(`footbridge.desk.${name}`);
  location.reload();
}

let toasting;

function toast(text) {
  show(byId("toast"), true, text);
  clearTimeout(toasting);
  toasting = setTimeout(() => show(byId("toast"), false), 5000);
}

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
});
enter();
