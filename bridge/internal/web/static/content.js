// Every type of content as elements, for the chat and for the desk.
import { el, own } from "./dom.js";
import { media } from "./files.js";
import { link, words } from "./text.js";
import { t } from "./words.js";

// body gives the element of a content. act is {say(text), answer(form response)}
// where the reader may answer, and nothing where not; find gives links to files.
export function body(content, act, find) {
  const draw = own(shapes, content?.type);
  return el("div", { className: "bubble", dir: "auto" }, ...(draw ? draw(content, act, find) : [`[${content?.type || "empty"}]`]));
}

// summary is a content in one line, for lists.
export function summary(content) {
  const c = content || {};
  const said = c.text || c.caption || c.title || c.name || c.url || (c.values || []).map((v) => v.value).join(", ");
  return said || (c.type ? `[${c.type}]` : "");
}

const shapes = {
  text: (c) => words(c.text || "", c.format),
  media: (c, act, find) => media(c, find),
  choices: (c, act) => [...words(c.text || ""), options(c.options, act)],
  form: (c, act) => form(c, act),
  form_response: (c) => [facts((c.values || []).map((v) => [v.label || v.name, v.value || "–"]))],
  card: (c, act) => card(c, act),
  carousel: (c, act) => [el("div", { className: "cards" }, ...(c.cards || []).map((x) => el("div", { className: "card" }, ...card(x, act))))],
  location: (c) => [el("div", {}, c.name || t("location")), el("div", { className: "small" }, c.address || ""),
    link(`https://www.openstreetmap.org/?mlat=${Number(c.latitude)}&mlon=${Number(c.longitude)}`, `${c.latitude}, ${c.longitude}`)],
  link: (c) => [link(c.url, c.title)],
};

function options(list, act) {
  return el("div", { className: "options" }, ...(list || []).map((o) => option(o, act)));
}

function option(o, act) {
  if (o.url) return link(o.url, o.label);
  const press = el("button", { type: "button", disabled: !act }, o.label);
  press.dataset.role = `option-${o.id || o.label}`;
  if (act) press.addEventListener("click", () => act.say(o.label));
  return press;
}

function card(c, act) {
  return [el("strong", {}, c.title || ""), c.text ? el("div", {}, c.text) : "", c.image ? el("div", {}, link(c.image, t("picture"))) : "",
    c.actions?.length ? options(c.actions, act) : ""];
}

function facts(rows) {
  return el("dl", {}, ...rows.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function form(c, act) {
  const fields = c.fields || [];
  const inputs = fields.map(field);
  const submit = el("button", { type: "submit", className: "primary" }, t("send"));
  const parts = [c.title ? el("strong", {}, c.title) : "", c.text ? el("div", {}, c.text) : "",
    ...inputs.map((input, i) => el("label", {}, fields[i].label || fields[i].name, input)), submit];
  if (!act) return [el("fieldset", { className: "form", disabled: true }, ...parts)];
  // A form has its fields under their names, whatever else has that name: what is done
  // to it is done before it has any.
  const sheet = el("form", { className: "form" });
  sheet.addEventListener("submit", (e) => {
    e.preventDefault();
    act.answer({ type: "form_response", form: c.id, values: fields.map((f, i) => ({ name: f.name, label: f.label, value: valueOf(inputs[i]) })) });
    for (const control of [...inputs, submit]) control.disabled = true;
  });
  sheet.append(...parts);
  return [sheet];
}

const inputTypes = ["text", "email", "tel", "url", "number", "date", "time", "datetime-local", "checkbox", "password"];

function field(f) {
  if (f.options?.length) {
    const empty = f.required ? [] : [el("option", { value: "" }, "–")];
    return el("select", { name: f.name, required: !!f.required }, ...empty,
      ...f.options.map((o) => el("option", { value: o.value || o.label }, o.label)));
  }
  if (f.input === "textarea") return el("textarea", { name: f.name, required: !!f.required, rows: 3 });
  return el("input", { name: f.name, required: !!f.required, type: inputTypes.includes(f.input) ? f.input : "text" });
}

const valueOf = (input) => (input.type === "checkbox" ? (input.checked ? "yes" : "no") : input.value);
