// The chat a customer has before them: the whole of our page, or a panel on
// another site's. It fills one element and touches nothing beyond it.
import { atEnd, drafts, el, grow, onEnter, setText, show } from "./dom.js";
import { face } from "./faces.js";
import { offer } from "./files.js";
import { decline, due, form } from "./survey.js";
import { draw, lines } from "./talk.js";
import { Visit } from "./visit.js";
import { t } from "./words.js";

// Panel fills place. settings are an account's; visitor is {customer, language}
// for a new conversation; close is there where the panel can be closed; heading
// is the element of its title; news is told of every change.
export class Panel {
  constructor(place, site, { settings, visitor, heading = "h1", close, news = () => {} }) {
    Object.assign(this, { place, settings, close, news, shown: true });
    this.brand = settings.title || t("title");
    this.parts = build(heading, !!close);
    place.replaceChildren(...this.parts.rows);
    this.visit = new Visit(site, {
      ...visitor, changed: () => this.refresh(), trouble: () => this.fail(t("unreachable")), failed: (problem) => this.fail(problem.message),
      line: (up) => show(this.parts.connection, !up, t("reconnecting")),
    });
    this.view = this.#view();
    this.hands = this.#hands();
    this.#wire();
  }

  // begin goes on with the customer's conversation, or opens one.
  begin() { return this.visit.begin(); }

  // fail tells what the customer cannot do; "" takes it back.
  fail(text) { show(this.parts.problem, !!text, text); }

  // display tells whether anybody can see the panel.
  display(shown) {
    this.shown = shown;
    this.refresh();
  }

  // focus goes to where the customer writes.
  focus() { (this.parts.compose.hidden ? this.parts.again : this.parts.text).focus({ preventScroll: true }); }

  name = (actor) => {
    if (actor.role === "system") return this.brand;
    if (actor.role === "customer") return t("you");
    return actor.name || t(actor.role === "virtual_agent" ? "virtual_agent" : "agent");
  };

  #face(name, avatar) { return face(name, avatar, this.settings.pictures); }

  #view() {
    const joined = (b, e) => t("joined", { name: this.name(e.actor) });
    return {
      mine: (e) => e.actor.role === "customer", name: this.name, self: t("you"), role: "customer", answerable: true, speaks: () => !this.visit.ended,
      facts: {
        "handoff.requested": () => t("fact_looking"), "handoff.accepted": joined, "transfer.completed": joined,
        "transfer.requested": () => t("passed_on"), "handback.completed": () => t("back"), "conversation.ended": () => t("ended"),
        "survey.answered": () => t("survey_thanks"),
      },
    };
  }

  #hands() {
    return {
      name: this.name,
      face: (item) => (item.mine ? undefined : this.#face(item.author, item.avatar)),
      file: (blob) => this.visit.api.file(blob),
      act: { say: (text) => this.#say({ type: "text", text, format: "plain" }), answer: (content) => this.#say(content) },
      again: (item) => this.visit.outbox.again(item),
      discard: (item) => this.visit.outbox.discard(item),
      resend: (content) => this.#say(content),
    };
  }

  #say(content) {
    this.visit.say(content);
    this.parts.scroll.scrollTop = this.parts.scroll.scrollHeight;
  }

  // #give sends a file, or tells why it cannot be sent.
  async #give(file) {
    const { api, id } = this.visit;
    this.fail("");
    try {
      const content = await api.upload(id, file);
      if (this.visit.id === id) this.#say(content);
    } catch (problem) {
      this.fail(`${file.name}: ${problem.advice || problem.message}`);
    }
  }

  // refresh redraws once for all that changed in a moment.
  refresh() {
    this.drawing ??= setTimeout(() => {
      this.drawing = undefined;
      if (this.visit.story) this.#paint();
    }, 16);
  }

  #paint() {
    const { talk, scroll, compose, over, end } = this.parts;
    const { story } = this.visit;
    const atLast = atEnd(scroll);
    const ended = !!story.now.ended;
    if (this.of !== story) this.#turn(story);
    this.view.answerable = !ended;
    draw(talk, [...this.#greeting(), ...lines(story, this.visit.pending(), this.view)], this.hands);
    this.#head(story.now);
    const typist = story.typists().find((a) => a.role !== "customer");
    this.#typing(typist ? t("writing", { name: this.name(typist) }) : "");
    this.#survey(story);
    if (ended && compose.contains(compose.getRootNode().activeElement)) scroll.focus({ preventScroll: true }); // compose takes it along otherwise
    show(compose, !ended);
    show(over, ended);
    show(end, !ended && story.ordered.length > 0);
    if (ended) this.#unsure();
    if (atLast) scroll.scrollTop = scroll.scrollHeight;
    const visible = this.shown && document.visibilityState === "visible" && atEnd(scroll);
    this.visit.receipts.seen(story, { visible, from: (e) => e.actor.role === "live_agent" });
    this.news(story, visible);
  }

  // #turn goes over to another conversation.
  #turn(story) {
    this.of = story;
    this.fail("");
    this.parts.talk.replaceChildren();
    this.#write(drafts.get(story.id));
  }

  #greeting() {
    const text = t("greeting");
    if (!text) return [];
    return [{ type: "word", key: "greeting", role: "system", author: this.brand, time: "", content: { type: "text", text, format: "markdown" } }];
  }

  #typing(text) {
    const { typing } = this.parts;
    if (typing.textContent !== text) typing.replaceChildren(...(text ? [el("span", {}, text)] : []));
  }

  // #head says who the customer talks to, and how long it may take.
  #head(now) {
    const agent = now.agent || { role: "live_agent" };
    const [who, standing] = {
      automated: [this.#helper(), ""],
      requested: [undefined, t("looking")],
      queued: [undefined, place(now)],
      offered: [undefined, place(now)],
      active: [agent, t("connected")],
      returning: [undefined, t("returning")],
      ended: [undefined, t("over")],
    }[now.phase];
    const shown = now.transferring && now.agent || who;
    const name = shown ? this.name(shown) : this.brand;
    setText(this.parts.with, name);
    setText(this.parts.standing, standing);
    const look = `${name} ${shown?.avatar || ""}`;
    if (this.parts.face.dataset.of === look) return;
    this.parts.face.replaceChildren(this.#face(name, shown?.avatar));
    this.parts.face.dataset.of = look;
  }

  // #helper is what the virtual agent called itself last.
  #helper() {
    return this.visit.story.ordered.findLast((e) => e.actor.role === "virtual_agent" && e.actor.name)?.actor || { role: "virtual_agent" };
  }

  #survey(story) {
    const { asking } = this.parts;
    const wanted = due(story, this.settings.survey) ? story.id : "";
    if ((asking.dataset.of || "") === wanted) return;
    asking.dataset.of = wanted;
    if (!wanted) return asking.replaceChildren();
    const done = () => { asking.dataset.of = ""; asking.replaceChildren(); };
    asking.replaceChildren(form(story.now.survey, {
      skip: () => { decline(story.id); done(); this.focus(); this.refresh(); },
      answer: (body) => {
        asking.dataset.of = story.id;
        asking.replaceChildren();
        this.visit.tell("survey.answered", body).catch((problem) => this.fail(problem.message));
        this.focus();
      },
    }));
  }

  // #write puts words into the box, which goes the way they do.
  #write(words) {
    const { text } = this.parts;
    if (text.value !== words) text.value = words;
    text.dir = words ? "auto" : "";
    grow(text);
  }

  #submit(e) {
    e?.preventDefault();
    const { text } = this.parts;
    const words = text.value.trim();
    if (!words || !this.visit.id || this.visit.ended) return;
    this.#write("");
    drafts.set(this.visit.id, "");
    this.visit.keyboard.stop(false);
    this.#say({ type: "text", text: words, format: "plain" });
  }

  // #sure asks before a conversation is ended, #unsure takes the question back.
  #sure() {
    const { really } = this.parts;
    const stay = el("button", { type: "button" }, t("stay"));
    const go = el("button", { type: "button", className: "primary" }, t("end"));
    stay.addEventListener("click", () => { this.#unsure(); this.focus(); });
    go.addEventListener("click", () => {
      this.#unsure();
      this.parts.scroll.focus({ preventScroll: true });
      this.visit.tell("conversation.ended", { reason: "customer_left", by: "customer" }).catch((problem) => this.fail(problem.message));
    });
    really.replaceChildren(el("span", { id: "really-head", className: "grow" }, t("end_question")), stay, go);
    show(really, true);
    stay.focus();
  }

  #unsure() {
    const open = !this.parts.really.hidden;
    this.parts.really.replaceChildren();
    show(this.parts.really, false);
    return open;
  }

  #key(e) {
    if (e.key !== "Escape" || e.isComposing) return;
    if (this.#unsure()) this.parts.end.focus();
    else this.close?.();
  }

  #wire() {
    const p = this.parts;
    p.compose.addEventListener("submit", (e) => this.#submit(e));
    onEnter(p.text, () => this.#submit());
    p.text.addEventListener("input", () => {
      this.#write(p.text.value);
      if (!this.visit.id) return;
      drafts.set(this.visit.id, p.text.value);
      this.visit.keyboard.press(p.text.value);
    });
    offer({ zone: this.place, attach: p.attach, pick: p.pick, text: p.text, ready: () => this.visit.id && !this.visit.ended, take: (file) => this.#give(file) });
    p.end.addEventListener("click", () => this.#sure());
    p.again.addEventListener("click", async () => {
      await this.visit.anew();
      p.text.focus({ preventScroll: true });
    });
    p.shut?.addEventListener("click", () => this.close());
    this.place.addEventListener("keydown", (e) => this.#key(e));
    p.scroll.addEventListener("scroll", () => this.refresh(), { passive: true });
    document.addEventListener("visibilitychange", () => this.refresh());
    setInterval(() => this.refresh(), 2000); // typing runs out by itself
  }
}

function place({ position, wait }) {
  const minutes = Math.round(wait / 60);
  const where = position > 1 ? t("place", { position }) : t(position ? "next" : "waiting");
  return minutes > 1 ? t("about", { place: where, minutes }) : where;
}

// build makes the elements of a chat.
function build(heading, closable) {
  const p = {
    face: el("span", { className: "with-face" }),
    with: el(heading, { id: "with", className: "name" }),
    standing: el("div", { className: "small quiet", id: "standing", role: "status" }),
    end: el("button", { type: "button", className: "plain", id: "end", hidden: true }, t("end")),
    connection: el("div", { className: "line warm", id: "connection", role: "status", hidden: true }),
    problem: el("div", { className: "line bad", id: "problem", role: "alert", dir: "auto", hidden: true }),
    talk: el("div", { className: "talk", id: "talk", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": t("messages") }),
    typing: el("div", { className: "typing", id: "typing", "aria-live": "polite" }),
    asking: el("div", { className: "asking" }),
    really: el("div", { className: "bar", id: "really", role: "alertdialog", "aria-labelledby": "really-head", hidden: true }),
    attach: el("button", { type: "button", className: "plain", id: "attach", "aria-label": t("attach"), title: t("attach") }, "+"),
    pick: el("input", { type: "file", id: "pick", "aria-label": t("attach"), multiple: true, hidden: true }),
    text: el("textarea", { id: "text", rows: 1, placeholder: t("placeholder"), autocomplete: "off", enterKeyHint: "send" }),
    again: el("button", { type: "button", className: "primary", id: "again" }, t("again")),
    shut: closable ? el("button", { type: "button", className: "plain shut", "aria-label": t("close"), title: t("close") }, "×") : undefined,
  };
  p.scroll = el("div", { className: "scroll", id: "scroll", tabIndex: 0, "aria-label": t("messages"), role: "group" }, p.talk);
  p.compose = el("form", { className: "compose", id: "compose" }, p.attach, p.pick,
    el("label", { className: "unseen", for: "text" }, t("compose")), p.text,
    el("button", { type: "submit", className: "primary", id: "send" }, t("send")));
  p.over = el("div", { className: "compose", id: "over", hidden: true }, el("span", { className: "grow quiet" }, t("ended")), p.again);
  const top = el("header", { className: "top" }, p.face, el("div", { className: "grow" }, p.with, p.standing), p.end, p.shut);
  p.rows = [top, p.connection, p.problem, p.scroll, p.typing, p.asking, p.really, p.compose, p.over];
  return p;
}
