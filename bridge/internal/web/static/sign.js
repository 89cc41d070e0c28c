// Signing in: a link's token, a cookie from before, the company's provider, or the
// form.
import { Api } from "./api.js";
import { byId, own, show } from "./dom.js";

const kept = (name) => sessionStorage.getItem(`footbridge.desk.${name}`) || localStorage.getItem(`footbridge.desk.${name}`) || "";

// keep remembers who this tab is, and whom a new tab should ask to be.
function keep(name, value) {
  sessionStorage.setItem(`footbridge.desk.${name}`, value);
  localStorage.setItem(`footbridge.desk.${name}`, value);
}

const refusals = {
  refused: "Your company account may not work here. Whoever runs the bridge finds the reason in its log.",
  provider_down: "Your company's sign-in cannot be reached. Try again in a minute, or use a token.",
};

// enter calls work(me, actor) once somebody is signed in and has said who they are.
export async function enter(work) {
  const said = new URLSearchParams(location.hash.slice(1));
  const token = said.get("token");
  const refusal = own(refusals, said.get("problem"));
  history.replaceState(null, "", location.pathname + location.search);
  if (refusal) return form(work, { problem: new Error(refusal) });
  const api = new Api();
  let me;
  try {
    me = token ? await api.post("/session", { token }) : await api.get("/me");
  } catch (problem) {
    return form(work, { problem: token || problem.status !== 401 ? problem : undefined });
  }
  return admit(work, me);
}

// admit goes on once somebody is signed in: a token for many agents asks which.
function admit(work, me) {
  const agent = me.agent || kept("agent");
  if (!me.roles.includes("live_agent")) return form(work, { problem: new Error("This token is not for live agents.") });
  if (!agent || !sessionStorage.getItem("footbridge.desk.agent") && !me.agent) return form(work, { me });
  work(me, { role: "live_agent", id: agent, name: kept("agent") === agent && kept("name") || undefined });
}

// form asks for a token, or with one for who it is.
function form(work, { problem, me }) {
  show(byId("sign"), true);
  show(byId("sign-problem"), !!problem, problem?.advice || problem?.message || "");
  show(byId("sign-token-row"), !me);
  show(byId("sign-agent-row"), !me?.agent);
  byId("sign-token").required = !me;
  byId("sign-agent").required = !!me && !me.agent;
  byId("sign-agent").value ||= kept("agent");
  byId("sign-name").value ||= kept("name");
  byId("sign").onsubmit = async (e) => {
    e.preventDefault();
    try {
      const who = me || await new Api().post("/session", { token: byId("sign-token").value.trim() });
      byId("sign-token").value = "";
      keep("agent", who.agent || byId("sign-agent").value.trim());
      keep("name", byId("sign-name").value.trim());
      show(byId("sign"), false);
      admit(work, who);
    } catch (refused) {
      form(work, { problem: refused, me });
    }
  };
  byId(me ? "sign-agent" : "sign-token").focus();
}

addEventListener("hashchange", () => {
  if (location.hash.startsWith("#token=")) location.reload();
});
