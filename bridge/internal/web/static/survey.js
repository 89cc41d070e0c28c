// The question how it was: offered by whoever talked, or asked at the end.
import { el } from "./dom.js";
import { lasting } from "./store.js";
import { t } from "./words.js";

const most = 5;
const slot = (id) => `footbridge.survey.${id}`;

// due tells whether the customer is to be asked now. asks says that the chat asks
// by itself at the end.
export function due(story, asks) {
  const { surveyed, survey, ended } = story.now;
  const spoken = story.ordered.some((e) => e.kind === "message.created" && e.actor.role === "customer");
  return !surveyed && lasting.getItem(slot(story.id)) === null && !!(survey || asks && ended && spoken);
}

// decline remembers that the customer does not want to say.
export const decline = (id) => lasting.setItem(slot(id), "declined");

// form asks. answer gets {score, comment}; skip is called for no answer.
export function form(offered, { answer, skip }) {
  const choices = offered?.options?.length ? offered.options.map((o) => ({ value: o.label, label: o.label, shown: o.label }))
    : Array.from({ length: most }, (_, i) => ({ value: String(i + 1), label: t("survey_score", { score: i + 1, most }), shown: "★" }));
  const scale = el("div", { className: offered?.options?.length ? "scale" : "scale stars" }, ...choices.map(score));
  const comment = el("textarea", { name: "comment", rows: 2, maxLength: 2000 });
  const no = el("button", { type: "button", className: "plain" }, t("survey_skip"));
  const sheet = el("form", { className: "survey", id: "survey", "aria-labelledby": "survey-head" },
    el("fieldset", {}, el("legend", { id: "survey-head", dir: "auto" }, offered?.question || t("survey")), scale),
    el("label", {}, t("survey_comment"), comment),
    el("div", { className: "acts" }, no, el("button", { type: "submit", className: "primary" }, t("survey_send"))));
  no.addEventListener("click", skip);
  sheet.addEventListener("submit", (e) => {
    e.preventDefault();
    answer({ score: new FormData(sheet).get("score"), comment: comment.value.trim() || undefined });
  });
  return sheet;
}

function score({ value, label, shown }) {
  return el("label", { title: label }, el("input", { type: "radio", name: "score", value, required: true, className: "unseen", "aria-label": label }),
    el("span", { "aria-hidden": "true" }, shown));
}
