// Small signs: who is writing, and what has been read.

const repeat = 4000; // a typing sign is repeated this often while somebody writes
const holds = 8000; // and is true for this long

// Keyboard tells that its person is writing, at most every few seconds.
export class Keyboard {
  constructor(send) { this.send = send; }

  press(text) {
    if (!text.trim()) return this.stop();
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.stop(), holds);
    if (this.told && Date.now() - this.told < repeat) return;
    this.told = Date.now();
    this.send("typing.started", { expires: new Date(Date.now() + holds).toISOString() });
  }

  // stop takes the sign back; a message that was sent does so by itself.
  stop(tell = true) {
    clearTimeout(this.idle);
    if (this.told && tell) this.send("typing.stopped", {});
    this.told = undefined;
  }
}

// Receipts tells what has arrived and what has been read, each once.
export class Receipts {
  // told reads from a story's facts how far this reader has read.
  constructor(send, told = (facts) => facts.readByCustomer) {
    this.send = send;
    this.told = told;
    this.read = 0;
    this.arrived = 0;
  }

  // seen looks at what is displayed. from chooses the authors who are told.
  seen(story, { visible, from }) {
    const last = story.ordered.findLast((e) => e.kind === "message.created" && from(e));
    if (!last || story.now.ended) return;
    this.#remember(story);
    if (visible && last.seq > this.read) {
      this.read = this.arrived = last.seq;
      this.send("message.read", { message: last.id });
    } else if (last.seq > this.arrived) {
      this.arrived = last.seq;
      this.send("message.delivered", { message: last.id });
    }
  }

  // #remember takes up what was told before a reload.
  #remember(story) {
    this.read = Math.max(this.read, this.told(story.now));
    this.arrived = Math.max(this.arrived, this.read, story.now.deliveredUpTo);
  }
}
