// The customer's page.
import { byId } from "./dom.js";
import { Panel } from "./panel.js";
import { settings } from "./site.js";
import { paint } from "./tone.js";
import { speak, t } from "./words.js";

const address = new URLSearchParams(location.search);
const given = (name) => address.get(name) || document.querySelector(`meta[name="footbridge-${name}"]`)?.content || "";
const site = given("key") ? { publishable_key: given("key") } : { account: given("account") };
const wishes = [address.get("language"), ...navigator.languages];
const main = byId("chat");

// tell shows what is the matter before there is a chat.
const tell = (text) => {
  const line = document.createElement("p");
  Object.assign(line, { className: "line bad", id: "problem", role: "alert", textContent: text });
  main.replaceChildren(line);
};

async function begin() {
  speak(wishes);
  if (!site.publishable_key && !site.account) return tell(t("unnamed"));
  let known;
  try {
    known = await settings(site, () => tell(t("unreachable")));
  } catch (problem) {
    return tell(problem.message);
  }
  const { language, direction } = speak([...wishes, known.language], known.texts);
  Object.assign(document.documentElement, { lang: language, dir: direction });
  paint(document.documentElement, known);
  document.title = known.title || t("title");
  main.setAttribute("aria-label", document.title);
  const customer = address.get("name") ? { name: address.get("name") } : {};
  new Panel(main, site, { settings: known, visitor: { customer, language: address.get("language") || navigator.language.split("-")[0] } }).begin();
}

begin();
