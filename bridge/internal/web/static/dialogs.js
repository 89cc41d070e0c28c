// What is asked before something is done: reasons, where to, and how it ended.
import { byId, el, show } from "./dom.js";

// ask makes open(...given) show a dialog, and act(filled, ...given) do what it was
// filled in for. before prepares it. Ctrl and Enter in a text sends it off.
export function ask(dialog, before, act) {
  const box = byId(dialog);
  const form = box.querySelector("form");
  let given = [];
  box.querySelector("[data-cancel]").addEventListener("click", () => box.close(""));
  form.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) form.requestSubmit(form.querySelector("[value=yes]"));
  });
  box.addEventListener("close", () => {
    const filled = Object.fromEntries([...new FormData(form)].map(([k, v]) => [k, v.trim()]));
    const yes = box.returnValue === "yes";
    box.returnValue = "";
    form.reset();
    if (yes) act(filled, ...given);
  });
  return (...now) => {
    given = now;
    before(...now);
    box.showModal();
  };
}

// unanswered says how much of what the customer said has no answer.
export function unanswered(story) {
  const n = story.unanswered();
  show(byId("handback-unanswered"), n > 0, n === 1 ? "The customer's last message is unanswered." : `The customer's last ${n} messages are unanswered.`);
}

// destinations fills the lists of a transfer with who and what is there.
export async function destinations(board, me) {
  byId("queues").replaceChildren(...board.queues.map((q) => el("option", { value: q.name, label: `${q.waiting} waiting, ${q.available} available${q.refusal ? ", closed" : ""}` })));
  const { agents = [] } = await board.api.get("/agents").catch(() => ({}));
  byId("agents").replaceChildren(...agents.filter((a) => a.id !== me && a.state !== "offline")
    .map((a) => el("option", { value: a.id, label: `${a.name || a.id}: ${a.state}, ${a.load} of ${a.capacity}` })));
}

// dispositions makes the fields of a disposition lists where the operator has
// given any.
export function dispositions(all) {
  if (!all.length) return;
  for (const field of document.querySelectorAll("input[name=disposition]")) {
    field.replaceWith(el("select", { name: "disposition", required: field.dataset.optional === undefined }, el("option", { value: "" }, "Choose …"), ...all.map((d) => el("option", { value: d }, d))));
  }
}
