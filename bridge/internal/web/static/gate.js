// Who comes into the console: by a link's token, a cookie from before, the company's
// provider, or the form. Where somebody wanted to go is kept until they are in.
import { Api } from "./api.js";
import { byId, show } from "./dom.js";

const wanted = "footbridge.console.place";
const watchers = ["operator", "supervisor"];

const refusals = new Map([
  ["refused", "Your company account may not work here. Whoever runs the bridge finds the reason in its log."],
  ["provider_down", "Your company's sign-in cannot be reached. Try again in a minute, or use a token."],
]);

// enter calls work(me) once somebody is in who may look at the bridge.
export async function enter(work) {
  const place = location.hash.startsWith("#/") ? location.hash : "";
  const said = new URLSearchParams(place ? "" : location.hash.slice(1));
  const refusal = refusals.get(said.get("problem"));
  if (place) sessionStorage.setItem(wanted, place);
  history.replaceState(null, "", location.pathname + location.search);
  if (refusal) return form(work, new Error(refusal));
  const token = said.get("token");
  try {
    admit(work, token ? await new Api().post("/session", { token }) : await new Api().get("/me"));
  } catch (problem) {
    form(work, token || problem.status !== 401 ? problem : undefined);
  }
}

function admit(work, me) {
  if (!me.roles.some((r) => watchers.includes(r))) return form(work, new Error("This sign-in is not for operators or supervisors."));
  show(byId("sign"), false);
  history.replaceState(null, "", location.pathname + (sessionStorage.getItem(wanted) || "#/conversations"));
  sessionStorage.removeItem(wanted);
  work(me);
}

function form(work, problem) {
  show(byId("sign"), true);
  show(byId("sign-problem"), !!problem, problem?.advice || problem?.message || "");
  byId("sign").onsubmit = async (e) => {
    e.preventDefault();
    const token = byId("sign-token").value.trim();
    try {
      const me = await new Api().post("/session", { token });
      byId("sign-token").value = "";
      admit(work, me);
    } catch (refused) {
      form(work, refused);
    }
  };
  byId("sign-token").focus();
}

// leave signs out.
export async function leave(api) {
  await api.del("/session").catch(() => {});
  location.reload();
}

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
});
