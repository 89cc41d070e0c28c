// What the customer's side does not carry, said before it is sent there.

const everything = { full: true };
const weak = (level) => level === "dropped" || level === "rejected";

// carried is what the account that has the customer carries: the customer's own,
// or the virtual agent's platform where that holds them.
export function carried(row, accounts) {
  const leg = front(row, "customer") || front(row, "virtual_agent");
  const account = leg && accounts.find((a) => a.name === leg.account);
  if (!account || account.adapter === "native") return everything;
  return account.capabilities || everything;
}

const front = (row, role) => (row?.legs || []).find((l) => l.role === role && !l.detached);

// lacks lists, in words for the agent, what the customer will not have.
export function lacks(levels) {
  if (levels.full) return [];
  return [
    weak(levels.typing) && "They do not see that you write.",
    weak(levels.receipts) && "It does not tell whether they have read you.",
    levels.push === "none" && "Your words arrive when they write next.",
    levels.max_text && `A message has at most ${levels.max_text} characters; a longer one arrives in parts.`,
    fileText(levels),
  ].filter(Boolean);
}

// before says what becomes of the words that are being written, "" for nothing.
export function before(levels, text) {
  if (levels.full || !levels.max_text) return "";
  const length = letters(text);
  if (length <= levels.max_text) return "";
  return `${length} characters: this arrives in ${Math.ceil(length / levels.max_text)} parts.`;
}

// file says whether a file can be given, and what becomes of it.
export function file(levels) {
  if (levels.full) return { may: true, note: "" };
  return { may: !weak(levels.content?.media), note: fileText(levels) };
}

function fileText(levels) {
  const level = levels.content?.media || "fallback";
  if (weak(level)) return "They cannot be given files.";
  return level === "fallback" ? "A file arrives as a link." : "";
}

// letters counts what a reader would call one letter each.
function letters(text) {
  if (!globalThis.Intl?.Segmenter) return [...text].length;
  let n = 0;
  for (const _ of new Intl.Segmenter().segment(text)) n++;
  return n;
}
