// What an observer found out, in a line for the live agent.

// spaced is a name of ours as people read it.
export const spaced = (name) => String(name || "").replaceAll("_", " ");

// insightText is "" for what is only of the moment: words not said to the end.
export function insightText({ type, ...fields }) {
  if (type === "utterance" && fields.final === false) return "";
  const told = (type === "dialog" ? (fields.utterances || []).map(said) : type === "utterance" ? [said(fields)] : pairs(fields)).filter(Boolean);
  return told.length ? `Assistant, ${spaced(type)}: ${told.join("; ")}` : "";
}

const said = (u) => u.text && `${spaced(u.speaker) || "somebody"} said \u201c${u.text}\u201d`;

const pairs = (fields) => Object.entries(fields).map(([name, value]) => `${spaced(name)} ${flat(value)}`);

// flat is a value in words, whatever it is.
function flat(value) {
  if (Array.isArray(value)) return value.map(flat).join(", ");
  if (value && typeof value === "object") return pairs(value).join(" ");
  return String(value);
}
