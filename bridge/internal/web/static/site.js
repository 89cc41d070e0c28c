// The customer account a chat belongs to, {publishable_key} or {account}, and what
// the browser keeps for it.
import { Api } from "./api.js";
import { lasting } from "./store.js";

const firstPause = 500;
const longestPause = 10000;
const pauseFor = (ms) => new Promise((go) => setTimeout(go, ms));

// persist asks until it is answered; trouble is called for each try that was not.
// A refusal that would be the same again is thrown.
export async function persist(ask, trouble) {
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      return await ask();
    } catch (problem) {
      if (problem.final || problem.status === 401) throw problem;
      trouble(problem);
      await pauseFor(pause);
    }
  }
}

// settings is how the chat of a site looks and speaks.
export function settings(site, trouble) {
  return persist(() => new Api().get(`/chat?${new URLSearchParams(site)}`), trouble);
}

const slotOf = (site) => `footbridge.chat.${site.publishable_key || site.account}`;

// stored is the conversation of before that can be gone on with, {id, token}.
export function stored(site) {
  try {
    const kept = JSON.parse(lasting.getItem(slotOf(site)));
    return kept?.id && kept.token ? kept : undefined;
  } catch {
    return undefined;
  }
}

// keep remembers a conversation, forget no longer does.
export const keep = (site, fresh) => lasting.setItem(slotOf(site), JSON.stringify(fresh));

export function forget(site, id) {
  if (stored(site)?.id === id) lasting.removeItem(slotOf(site));
}
