// The live line to the bridge: a WebSocket that comes back by itself and goes on
// where it was cut off. The position of the last event is the cursor; while it
// holds, nothing is missed and nothing read twice. Without one, or when the
// bridge does not know it any more, the history is read after the line is open,
// so that there is no gap between the two.

const firstPause = 300;
const longestPause = 8000;
const silence = 40000; // the bridge shows that it lives every 15 s

// Live calls take(event) for every event, state("live" | "connecting") when the
// line comes or goes, back() when it is there again, and history() where the
// cursor does not serve.
export class Live {
  constructor(api, { history, take, state, back, agent }) {
    Object.assign(this, { api, history, take, state, back, agent });
    this.pause = firstPause;
    this.hurry = () => this.wake?.();
    addEventListener("online", this.hurry);
    document.addEventListener("visibilitychange", this.hurry);
    this.#run();
  }

  close() {
    this.closed = true;
    this.socket?.close();
    this.wake?.();
    removeEventListener("online", this.hurry);
    document.removeEventListener("visibilitychange", this.hurry);
  }

  // say sends what may be lost, such as a sign that somebody writes.
  say(event) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(event));
  }

  async #run() {
    while (!this.closed) {
      const ticket = await this.api.post("/tickets", {}).catch(() => undefined);
      const opened = ticket && !this.closed && await this.#once(ticket.ticket);
      if (this.closed) return;
      if (ticket && !opened) this.#refused();
      this.state("connecting");
      await new Promise((go) => { this.wake = go; setTimeout(go, this.pause * (0.75 + Math.random() / 2)); });
      this.pause = Math.min(this.pause * 2, longestPause);
    }
  }

  // #refused: a browser is not told why a socket was not opened. The bridge has
  // just answered, so it may be the cursor; the history is read meanwhile.
  #refused() {
    this.cursor = undefined;
    this.history().catch(() => {});
  }

  // #once keeps one socket until it ends, and tells whether it ever opened.
  #once(ticket) {
    const query = new URLSearchParams({ ticket });
    if (this.cursor !== undefined) query.set("after", this.cursor);
    if (this.agent) query.set("agent", this.agent);
    const socket = new WebSocket(this.api.socket(query));
    this.socket = socket;
    return new Promise((done) => {
      let opened = false;
      const quiet = () => { clearTimeout(this.watch); this.watch = setTimeout(() => socket.close(), silence); };
      quiet();
      socket.onmessage = ({ data }) => {
        quiet();
        if (!opened) {
          opened = true;
          this.#open();
        }
        this.#told(JSON.parse(data));
      };
      socket.onclose = () => {
        clearTimeout(this.watch);
        done(opened);
      };
    });
  }

  #open() {
    this.pause = firstPause;
    this.state("live");
    if (this.cursor === undefined) this.#catchUp();
    this.back?.();
  }

  // #catchUp reads the history until that has worked once.
  async #catchUp() {
    const socket = this.socket;
    for (let pause = 500; socket === this.socket && !this.closed; pause *= 2) {
      try {
        return await this.history();
      } catch (problem) {
        if (problem.final) return;
        await new Promise((go) => setTimeout(go, Math.min(pause, longestPause)));
      }
    }
  }

  #told({ position, event }) {
    if (event) this.take(event);
    if (position) this.cursor = position;
  }
}
