// The live agents' page.
import { Accounts } from "./accounts.js";
import { Acts } from "./acts.js";
import { Alerts } from "./alerts.js";
import { Api } from "./api.js";
import { Board } from "./board.js";
import { ask, destinations, dispositions, unanswered } from "./dialogs.js";
import { byId, setText, show } from "./dom.js";
import { customerName, drawMine, leftLine, listen, tick, unreadAll, waitingLine } from "./lists.js";
import { Live } from "./live.js";
import { Me, toast } from "./me.js";
import { Outbox } from "./outbox.js";
import { Room } from "./room.js";
import { enter } from "./sign.js";

const title = document.title;

// Desk is the page once somebody is signed in.
class Desk {
  constructor(me, actor) {
    this.api = new Api({ unauthorized: () => location.reload() });
    this.actor = actor;
    this.board = new Board(this.api, { agent: actor.id, changed: () => this.refresh() });
    this.outbox = new Outbox(this.api, { name: `desk.${actor.id}`, storage: sessionStorage, changed: () => this.refresh(), delivered: (item, e) => this.take(e) });
    this.accounts = new Accounts(this.api, { all: me.roles.some((r) => ["operator", "supervisor"].includes(r)), changed: () => this.refresh() });
    this.room = new Room(this.board, this.outbox, { actor, toast, accounts: () => this.accounts.rows, chosen: (id) => this.#chosen(id) });
    this.alerts = new Alerts(this.board, { open: (id) => this.room.open(id), wanted: () => ["available", "busy"].includes(this.me.state) });
    this.me = new Me(this.api, actor, { toast, alerts: this.alerts, taken: () => this.board.mine().filter((r) => this.board.isMine(r)).length });
    this.lines = [waitingLine(byId("waiting"), this.board, () => this.refresh()), leftLine(byId("left"), this.board, () => this.refresh())];
    this.#dialogs();
    this.acts = new Acts(this.#table(), { live: () => this.isLive, places: (id) => this.#places(id) });
    this.#begin();
  }

  #begin() {
    show(byId("bar"), true);
    show(byId("desk"), true);
    setText(byId("me"), this.actor.name ? `${this.actor.name} (${this.actor.id})` : this.actor.id);
    const open = (id) => this.room.open(id);
    listen(byId("waiting"), { open, accept: (id) => this.accept(id), decline: (id) => this.decline(id) });
    listen(byId("left"), { open, answer: (id) => this.accept(id), done: (id) => this.askDone(id) });
    listen(byId("mine"), { open, close: (id) => this.close(id) });
    for (const event of ["visibilitychange", "focus"]) addEventListener(event, () => this.refresh());
    const before = sessionStorage.getItem("footbridge.desk.open");
    this.first = () => { if (this.board.rows.has(before)) this.room.open(before); };
    this.room.live = new Live(this.api, {
      agent: this.actor.id, take: (e) => this.take(e), state: (now) => this.#line(now === "live"),
      history: () => this.board.load().then(() => { this.first?.(); this.first = undefined; }),
      back: () => { this.outbox.kick(); this.me.say(); this.#tools(); },
    });
    this.me.start();
    this.accounts.start();
    setInterval(() => {
      tick(byId("desk"));
      this.refresh();
    }, 5000);
  }

  async #tools() {
    const tools = await this.api.get("/desk").catch(() => undefined);
    if (!tools) return;
    this.room.replies.all = tools.replies;
    dispositions(tools.dispositions);
  }

  take(e) {
    if (e.actor?.role === "live_agent" && e.actor.id === this.actor.id) this.outbox.seen(`/conversations/${encodeURIComponent(e.conversation)}/events`, e);
    this.board.take(e);
  }

  // #line: without the bridge nobody knows whether somebody still writes.
  #line(live) {
    this.isLive = live;
    if (!live) for (const story of this.board.stories.values()) story.hush();
    setText(byId("connection"), live ? "" : "Reconnecting… what you write is kept and sent.");
    this.me.connected(live);
    this.refresh();
  }

  refresh() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = undefined;
      this.#paint();
    });
  }

  #paint() {
    const { board, room } = this;
    const waiting = board.waiting();
    setText(byId("waiting-head"), waiting.length ? `Waiting · ${waiting.length}` : "Waiting");
    const left = board.left().length;
    setText(byId("left-head"), `Left messages · ${left}`);
    for (const part of ["left-head", "left"]) show(byId(part), !!left);
    for (const line of this.lines) line.draw(room.id, this.isLive);
    drawMine(byId("mine"), board, room.id);
    room.paint();
    this.acts?.paint();
    this.me.paint();
    if (board.loaded) this.alerts.look();
    const unread = unreadAll(board);
    const news = [waiting.length && `${waiting.length} waiting`, left && `${left} left`].filter(Boolean).join(", ");
    document.title = unread ? `(${unread}) ${title}` : news ? `${news} · ${title}` : title;
  }

  #chosen(id) {
    sessionStorage.setItem("footbridge.desk.open", id);
    this.refresh();
  }

  async accept(id) {
    const taken = await this.room.command("handoff.accepted", {}, { id });
    if (taken) this.room.open(id);
    return taken;
  }

  decline(id) {
    if (this.board.offeredToMe(this.board.rows.get(id))) return this.room.command("handoff.declined", { reason: "busy" }, { id });
    return this.askDecline(id);
  }

  // next takes the first that is still there to be taken.
  async next() {
    for (const row of this.board.waiting().filter((r) => this.board.mayTake(r))) if (await this.accept(row.id)) return;
  }

  // done says that nothing more has to be done about what was left.
  async done({ disposition }, id) {
    if (await this.room.command("wrapup.completed", { disposition }, { id })) this.close(id);
  }

  close(id) {
    this.board.drop(id);
    if (this.room.id === id) this.room.open("");
    this.refresh();
  }

  // step opens the conversation before or after the one that is open.
  step(by) {
    const all = [...this.board.waiting(), ...this.board.left(), ...this.board.mine()].map((row) => row.id);
    if (!all.length) return;
    const at = all.indexOf(this.room.id);
    const to = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + by));
    for (const line of this.lines) line.reach(all[to]);
    this.room.open(all[to], { write: false });
    this.#paint();
    document.querySelector(`.item[data-key="${CSS.escape(all[to])}"]`)?.scrollIntoView({ block: "nearest" });
    byId("scroll").focus({ preventScroll: true });
  }

  // #places are the conversations "?" finds; with an id it goes there.
  #places(id) {
    if (id) return this.room.open(id);
    return [...this.board.mine(), ...this.board.waiting(), ...this.board.left()].map((row) => ({ id: row.id, name: customerName(row, this.board.stories.get(row.id)) }));
  }

  #dialogs() {
    const { room, board } = this;
    this.askDecline = ask("turn-down", () => {}, ({ reason }, id) => room.command("handoff.declined", { reason }, { id }));
    this.askHandback = ask("handback", () => unanswered(room.story), ({ reason, summary }) =>
      room.command("handback.requested", { reason, summary, up_to: room.story.last?.id }));
    this.askTransfer = ask("transfer", () => destinations(board, this.actor.id), ({ queue, agent, reason }) => {
      if (!queue && !agent) return toast("Name a queue or an agent.");
      return room.command("transfer.requested", { reason, agent: agent || undefined, routing: queue ? { queue } : undefined });
    });
    this.askDone = ask("left-done", () => {}, (filled, id) => this.done(filled, id));
    this.askEnd = ask("finish", () => {}, (filled) => room.finish(filled));
  }

  // #table is everything that can be done, with its keys.
  #table() {
    const { room, board, alerts, me } = this;
    const writing = () => room.row && !byId("text").disabled && room.row.state !== "ended";
    const open = () => room.row && room.row.state !== "ended" && !board.isLeft(room.row);
    const states = ["available", "busy", "away", "offline"];
    return [
      { id: "next", keys: ["n"], name: "Take the next one who waits", line: true, button: "next", ready: () => board.waiting().some((r) => board.mayTake(r)), run: () => this.next() },
      { id: "down", keys: ["j"], name: "Show the conversation below", run: () => this.step(1) },
      { id: "up", keys: ["k"], name: "Show the conversation above", run: () => this.step(-1) },
      { id: "mine", keys: ["1", "2", "3", "4", "5", "6", "7", "8", "9"], name: "Open the first to ninth of my conversations", ready: () => board.mine().length,
        run: (key) => { const row = board.mine()[key - 1]; if (row) room.open(row.id); } },
      { id: "accept", keys: ["a"], name: "Accept the open conversation", line: true, button: "act-accept", ready: () => room.row && board.mayTake(room.row), run: () => this.accept(room.id) },
      { id: "decline", keys: ["d"], name: "Decline the open conversation", line: true, button: "act-decline", ready: () => room.row && board.mayTake(room.row), run: () => this.decline(room.id) },
      { id: "answer", keys: ["l"], name: "Answer the message that was left", line: true, button: "act-answer", ready: () => board.mayAnswer(room.row), run: () => this.accept(room.id) },
      { id: "done", keys: ["o"], name: "Done with the message that was left", line: true, button: "act-done", ready: () => board.isLeft(room.row), run: () => this.askDone(room.id) },
      { id: "reply", keys: ["r"], name: "Write to the customer", ready: open, run: () => { if (byId("note").checked) room.note(); byId("text").focus(); } },
      { id: "note", keys: ["p"], name: "Write a private note", ready: open, run: () => room.note() },
      { id: "replies", keys: ["/"], name: "Choose a ready answer", ready: writing, run: () => room.replies.begin() },
      { id: "insert", keys: ["i"], name: "Use the suggested reply", ready: () => writing() && room.suggestion, run: () => room.insert() },
      { id: "dismiss", keys: ["x"], name: "Dismiss the suggested reply", line: true, ready: () => room.suggestion, run: () => room.dismiss() },
      { id: "attach", keys: ["f"], name: "Attach a file", ready: () => open() && !byId("attach").disabled, run: () => byId("pick").click() },
      { id: "again", keys: ["u"], name: "Send again what was not delivered", ready: () => room.failed.length + room.undelivered.length, run: () => room.again() },
      { id: "handback", keys: ["h"], name: "Hand back to the virtual agent", line: true, button: "act-handback", ready: () => room.row && room.holds && room.returns, run: () => this.askHandback() },
      { id: "transfer", keys: ["t"], name: "Transfer to an agent or a queue", line: true, button: "act-transfer", ready: () => room.row && room.holds, run: () => this.askTransfer() },
      { id: "withdraw", keys: ["v"], name: "Withdraw the transfer", line: true, button: "act-withdraw", ready: () => room.passing, run: () => room.command("handoff.cancelled", { reason: "withdrawn" }) },
      { id: "end", keys: ["e"], name: "End the conversation", line: true, button: "act-end", ready: () => room.row && room.holds, run: () => this.askEnd() },
      { id: "wrapup", keys: ["w"], name: "Wrap up", ready: () => !byId("wrapup").hidden, run: () => byId("wrapup").elements.disposition.focus() },
      { id: "close", keys: ["c"], name: "Close a conversation that is over", ready: () => room.over, run: () => this.close(room.id) },
      { id: "details", keys: ["g"], name: "Show or hide the details", button: "more", ready: () => room.row, run: () => room.details() },
      { id: "oldest", keys: ["Home"], name: "Go to the beginning of the talk", ready: () => room.row, run: () => room.pane.oldest() },
      { id: "newest", keys: ["End"], name: "Go to the newest words", ready: () => room.row, run: () => room.pane.newest() },
      { id: "state", keys: ["s"], name: "Change my state", run: () => { me.set(states[(states.indexOf(me.state) + 1) % states.length]); toast(`You are ${me.state} now.`); } },
      { id: "sound", keys: ["m"], name: "Sound on or off", run: () => { alerts.setSound(!alerts.sound); byId("sound").checked = alerts.sound; toast(alerts.sound ? "Sound is on." : "Sound is off."); } },
      { id: "menu", keys: ["y"], name: "Open my menu: capacity, notifications, signing out", run: () => { byId("menu").showPopover(); byId("capacity").focus(); } },
      { id: "keys", keys: ["?"], name: "Show what can be done, with its keys", button: "help", run: () => this.acts.help() },
    ];
  }
}

enter((me, actor) => new Desk(me, actor));
