// The customer's page.
import { Api } from "./api.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Story } from "./story.js";
import { draw, lines } from "./talk.js";
import { offer } from "./files.js";
import { atEnd, byId, drafts, grow, onEnter, setText, show } from "./dom.js";
import { Keyboard, Receipts } from "./signals.js";

const address = new URLSearchParams(location.search);
const given = (name) => address.get(name) || document.querySelector(`meta[name="footbridge-${name}"]`).content;
const site = given("key") ? { publishable_key: given("key") } : { account: given("account") };
const slot = `footbridge.chat.${given("key") || given("account")}`;
const brand = byId("with").textContent;

let chat; // the conversation on the page

const stored = () => { try { return JSON.parse(localStorage.getItem(slot)); } catch { return null; } };

async function begin() {
  show(byId("problem"), false);
  if (!site.publishable_key && !site.account) return fail("This page's address must name the chat: /chat?key=…");
  const known = stored();
  if (known?.id && known.token) return open(known);
  const customer = address.get("name") ? { name: address.get("name") } : {};
  for (let pause = 500; ; pause = Math.min(pause * 2, 10000)) {
    try {
      const made = await new Api().post("/conversations", { ...site, customer, language: address.get("language") || navigator.language.slice(0, 2) });
      const fresh = { id: made.conversation, token: made.token };
      localStorage.setItem(slot, JSON.stringify(fresh));
      return open(fresh);
    } catch (problem) {
      if (problem.final || problem.status === 401) return fail(problem.message);
      fail("The chat cannot be reached right now. Trying again…");
      await new Promise((go) => setTimeout(go, pause));
    }
  }
}

function fail(text) { show(byId("problem"), true, text); }

function open({ id, token }) {
  show(byId("problem"), false);
  const api = new Api({ token, unauthorized: () => lost(id) });
  const path = `/conversations/${encodeURIComponent(id)}/events`;
  const story = new Story(id);
  chat = { id, api, path, story };
  chat.outbox = new Outbox(api, { name: id, storage: localStorage, changed: () => refresh(), delivered: (item, e) => take(e) });
  chat.keyboard = new Keyboard((kind, body) => chat.live.say({ conversation: id, kind, body }));
  chat.receipts = new Receipts((kind, body) => chat.outbox.add(path, { kind, body }).catch(() => {}));
  chat.live = new Live(api, {
    take, state: connection, back: () => chat.outbox.kick(),
    history: async () => (await api.all(path, "events")).forEach(take),
  });
  byId("text").value = drafts.get(id);
  grow(byId("text"));
  refresh();
}

// lost begins anew when the bridge does not know the conversation's token any
// more.
function lost(id) {
  if (stored()?.id !== id || !chat) return;
  const over = chat.story.now.ended;
  chat.live.close();
  chat.outbox.stop();
  localStorage.removeItem(slot);
  if (over) return;
  chat = undefined;
  begin();
}

function take(e) {
  if (!chat || e.conversation && e.conversation !== chat.id) return;
  if (mine(e)) chat.outbox.seen(chat.path, e);
  if (chat.story.take(e)) refresh();
}

function connection(state) {
  show(byId("connection"), state !== "live", "Reconnecting… what you write is kept and sent.");
}

const mine = (e) => e.actor.role === "customer";

function name(actor) {
  if (actor.role === "system") return brand;
  if (actor.role === "customer") return "You";
  return actor.name || { live_agent: "Agent", virtual_agent: "Virtual agent" }[actor.role] || actor.role;
}

const view = {
  mine, name, self: "You", role: "customer", answerable: true,
  facts: {
    "handoff.requested": () => "Looking for somebody to talk to you",
    "handoff.accepted": (b, e) => `${name(e.actor)} has joined`,
    "transfer.requested": () => "You are being passed on to somebody else",
    "transfer.completed": (b, e) => `${name(e.actor)} has joined`,
    "handback.completed": () => "The virtual agent is back",
    "conversation.ended": () => "The conversation has ended",
  },
};

const hands = {
  name,
  file: (blob) => chat.api.file(blob),
  act: {
    say: (text) => say({ type: "text", text, format: "plain" }),
    answer: (content) => say(content),
  },
  again: (item) => chat.outbox.again(item),
  discard: (item) => chat.outbox.discard(item),
};

function say(content) {
  chat.outbox.add(chat.path, { kind: "message.created", body: { content } }, { keep: true }).catch(() => {});
  byId("scroll").scrollTop = byId("scroll").scrollHeight;
}

// give sends a file, or tells why it cannot be sent.
async function give(file) {
  const { api, id } = chat;
  show(byId("problem"), false);
  try {
    const content = await api.upload(id, file);
    if (chat?.id === id) say(content);
  } catch (problem) {
    fail(`${file.name}: ${problem.advice || problem.message}`);
  }
}

let drawing;

// refresh redraws once for all that changed in a moment.
function refresh() {
  drawing ??= requestAnimationFrame(() => {
    drawing = undefined;
    if (chat?.outbox) paint();
  });
}

function paint() {
  const box = byId("scroll");
  const end = atEnd(box);
  const { story, outbox, path } = chat;
  view.answerable = !story.now.ended;
  draw(byId("talk"), lines(story, outbox.on(path), view), hands);
  if (end) box.scrollTop = box.scrollHeight;
  head(story.now);
  const typist = story.typists().find((a) => a.role !== "customer");
  typing(typist ? `${name(typist)} is writing` : "");
  const ended = !!story.now.ended;
  show(byId("compose"), !ended);
  show(byId("over"), ended);
  show(byId("end"), !ended && story.ordered.length > 0);
  chat.receipts.seen(story, { visible: document.visibilityState === "visible" && atEnd(box), from: (e) => e.actor.role === "live_agent" });
}

function typing(text) {
  const line = byId("typing");
  if (line.textContent === text) return;
  const words = document.createElement("span");
  words.textContent = text;
  line.replaceChildren(...(text ? [words] : []));
}

// head says who the customer talks to, and how long it may take.
function head(now) {
  const standing = {
    automated: [helper(), ""],
    requested: [brand, "Looking for somebody…"],
    queued: [brand, place(now)],
    offered: [brand, place(now)],
    active: [now.agent ? name(now.agent) : "Agent", "Connected with you"],
    returning: [brand, "Going back to the virtual agent…"],
    ended: [brand, "Ended"],
  }[now.phase];
  setText(byId("with"), now.transferring && now.agent ? name(now.agent) : standing[0]);
  setText(byId("standing"), standing[1]);
}

// helper is what the virtual agent called itself last.
function helper() {
  return chat.story.ordered.findLast((e) => e.actor.role === "virtual_agent" && e.actor.name)?.actor.name || "Virtual agent";
}

function place({ position, wait }) {
  const about = wait > 60 ? `, about ${Math.round(wait / 60)} min` : "";
  if (!position) return `Waiting for somebody${about}`;
  return position === 1 ? `You are next${about}` : `You are number ${position} in line${about}`;
}

function submit(e) {
  e?.preventDefault();
  const box = byId("text");
  const text = box.value.trim();
  if (!text || !chat || chat.story.now.ended) return;
  box.value = "";
  grow(box);
  drafts.set(chat.id, "");
  chat.keyboard.stop(false);
  say({ type: "text", text, format: "plain" });
}

function wire() {
  byId("compose").addEventListener("submit", submit);
  onEnter(byId("text"), submit);
  byId("text").addEventListener("input", (e) => {
    grow(e.target);
    if (!chat) return;
    drafts.set(chat.id, e.target.value);
    chat.keyboard.press(e.target.value);
  });
  offer({ zone: document.body, ready: () => chat && !chat.story.now.ended, take: give });
  byId("end").addEventListener("click", () => byId("really").showModal());
  byId("really").addEventListener("close", (e) => {
    if (e.target.returnValue !== "yes" || !chat) return;
    e.target.returnValue = "";
    chat.outbox.add(chat.path, { kind: "conversation.ended", body: { reason: "customer_left", by: "customer" } }).catch((p) => fail(p.message));
  });
  byId("again").addEventListener("click", () => {
    chat?.live.close();
    localStorage.removeItem(slot);
    byId("talk").replaceChildren();
    chat = undefined;
    show(byId("over"), false);
    show(byId("compose"), true);
    begin();
  });
  document.addEventListener("visibilitychange", refresh);
  byId("scroll").addEventListener("scroll", refresh, { passive: true });
  setInterval(refresh, 2000); // typing runs out by itself
}

wire();
begin();
