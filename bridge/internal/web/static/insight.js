// What an observer found out, for the live agent: a line for what is news, and
// for the panel the newest of each kind.

// spaced is a name of ours as people read it.
export const spaced = (name) => String(name || "").replaceAll("_", " ");

// begin is what is known of a conversation before an observer has said anything:
// the newest of each type, the utterances heard, and by event those that are news.
export const begin = () => ({ latest: new Map(), heard: new Map(), news: new Map() });

// learn takes up an insight. An utterance counts when it is said to the end, and
// once, however often it comes.
export function learn(known, { type, ...fields }, event) {
  if (!type) return;
  const said = type === "dialog" ? fields.utterances || [] : type === "utterance" && [fields];
  if (!said) return void known.latest.set(type, fields);
  known.news.set(event, said.filter((u) => u.final !== false && u.text && isNews(known.heard, u)));
}

function isNews(heard, u) {
  if (u.index === undefined) return true;
  const place = `${u.index}/${u.speaker}`;
  if (heard.get(place) === u.text) return false;
  heard.set(place, u.text);
  return true;
}

// insightText is the line of an event, "" where it says nothing new.
export function insightText({ type, ...fields }, news) {
  const told = news ? news.map(said) : pairs(fields);
  return told.length ? `Assistant, ${spaced(type)}: ${told.join("; ")}` : "";
}

// insightRows are the newest of each type, for the panel.
export const insightRows = (known) => [...known.latest].map(([type, fields]) => [spaced(type), pairs(fields).join("; ")]);

const said = (u) => `${spaced(u.speaker) || "somebody"} said \u201c${u.text}\u201d`;

const pairs = (fields) => Object.entries(fields).map(([name, value]) => `${spaced(name)} ${flat(value)}`);

// flat is a value in words, whatever it is.
function flat(value) {
  if (Array.isArray(value)) return value.map(flat).join(", ");
  if (value && typeof value === "object") return pairs(value).join(" ");
  return String(value);
}
