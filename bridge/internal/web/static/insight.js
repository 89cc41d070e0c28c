// What an observer found out, for the live agent: a line for what is news, and
// for the panel what it comes to.
import { own } from "./dom.js";

// spaced is a name of ours as people read it.
export const spaced = (name) => String(name || "").replaceAll("_", " ");

// begin is what is known of a conversation before an observer has said anything:
// the newest of each type, the utterances heard, by event those that are news, the
// moods in their order, the flows by id, and the suggestion that stands.
export const begin = () => ({ latest: new Map(), heard: new Map(), news: new Map(), moods: [], flows: new Map(), suggestion: undefined });

// learn takes up an insight. An utterance counts when it is said to the end, and
// once, however often it comes.
export function learn(known, { type, ...fields }, e) {
  if (!type) return;
  const said = type === "dialog" ? fields.utterances || [] : type === "utterance" && [fields];
  if (said) return void known.news.set(e.id, said.filter((u) => u.final !== false && u.text && isNews(known.heard, u)));
  known.latest.set(type, fields);
  own(more, type)?.(known, fields, e);
}

const more = {
  analysis(known, f, e) {
    if (f.customer_sentiment || f.agent_sentiment) known.moods.push({ time: e.time, customer: f.customer_sentiment, agent: f.agent_sentiment });
    if (f.suggested_reply) known.suggestion = { id: e.id, text: f.suggested_reply };
  },
  flow: (known, f) => known.flows.set(f.id || "", f),
  flow_change(known, { id = "", status, entity, value }) {
    const was = known.flows.get(id) || { id };
    known.flows.set(id, { ...was, status: status || was.status, entities: entity ? [...(was.entities || []), { [entity]: value }] : was.entities });
  },
};

// answered is the type in which the agent's answer to a suggestion goes back.
export const answered = "suggestion_answered";

// settle takes away a suggestion that was answered.
export function settle(known, { type, parameters }) {
  if (type === answered && parameters?.insight === known.suggestion?.id) known.suggestion = undefined;
}

// moodOf is a mood as a number from -1 to 1, whatever word the source has for it;
// undefined for a word nobody knows.
export function moodOf(word) {
  if (word === undefined || word === "") return undefined;
  if (!Number.isNaN(Number(word))) return Math.max(-1, Math.min(1, Number(word)));
  const found = [[/very.?neg|angry|furious/i, -1], [/neg|bad|sad|upset/i, -0.7], [/neutral|mixed|calm/i, 0], [/very.?pos|delight/i, 1], [/pos|good|happy/i, 0.7]].find(([w]) => w.test(word));
  return found?.[1];
}

function isNews(heard, u) {
  if (u.index === undefined) return true;
  const place = `${u.index}/${u.speaker}`;
  if (heard.get(place) === u.text) return false;
  heard.set(place, u.text);
  return true;
}

// inPanel are the types that come again and again and have a place of their own
// beside the talk.
export const inPanel = ["analysis", "verification", "voice", "tts", "caller_number", "flow", "flow_change", "summary"];

// insightText is the line of an event, "" where it says nothing new.
export function insightText({ type, ...fields }, news) {
  if (inPanel.includes(type)) return "";
  const told = news ? news.map(said) : pairs(fields);
  return told.length ? `Assistant, ${spaced(type)}: ${told.join("; ")}` : "";
}

const said = (u) => `${spaced(u.speaker) || "somebody"} said \u201c${u.text}\u201d`;

// pairs are the fields of an insight as texts.
export const pairs = (fields) => Object.entries(fields).map(([name, value]) => `${spaced(name)} ${flat(value)}`);

// sentence is a word of a source as people read it: NEGATIVE is Negative.
export const sentence = (word) => spaced(word).toLowerCase().replace(/^./, (c) => c.toUpperCase());

// flat is a value in words, whatever it is.
export function flat(value) {
  if (Array.isArray(value)) return value.map(flat).join(", ");
  if (value && typeof value === "object") return pairs(value).join(" ");
  return String(value);
}
