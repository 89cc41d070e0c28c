// The line of backends and how their breakers stand.
import { byId, el, sync } from "./dom.js";

export class Accounts {
  // Live agents see the accounts in trouble; who runs the bridge sees all.
  constructor(api, { all, changed }) { Object.assign(this, { api, all, changed, rows: [] }); }

  start() {
    this.read();
    setInterval(() => this.read(), 15000);
  }

  async read() {
    const answer = await this.api.get("/accounts").catch(() => undefined);
    if (!answer) return;
    this.rows = answer.accounts || [];
    sync(byId("accounts"), this.rows.filter((a) => this.all || standing(a) !== "ready"), {
      key: (a) => a.name,
      face: (a) => a,
      make: (a) => el("li", { title: describe(a), className: standing(a) === "ready" ? "fine" : "" }, el("span", { className: `dot ${standing(a)}` }), a.name, standing(a) === "ready" ? "" : ` · ${standing(a).replace("_", " ")}`),
    });
    this.changed();
  }
}

const standing = (a) => Object.values(a.breakers || {}).find((s) => s !== "closed") || (a.ready ? "ready" : "unready");
const describe = (a) => [a.adapter, a.role, a.unready, ...Object.entries(a.breakers || {}).map(([host, s]) => `${host}: ${s}`)].filter(Boolean).join(" · ");
