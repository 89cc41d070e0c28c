// Telling the agent that somebody waits, has left a message or has written: by a
// sound, and by a notification while they look elsewhere.
import { summary } from "./content.js";
import { customerName } from "./lists.js";

const kept = (name) => localStorage.getItem(`footbridge.desk.${name}`);
const keep = (name, on) => localStorage.setItem(`footbridge.desk.${name}`, on ? "on" : "off");

export class Alerts {
  // open turns to a conversation; wanted tells whether the agent is there to be
  // told of those who wait.
  constructor(board, { open, wanted }) {
    Object.assign(this, { board, open, wanted });
    this.sound = kept("sound") !== "off";
    this.notices = kept("notices") === "on" && globalThis.Notification?.permission === "granted";
  }

  setSound(on) {
    this.sound = on;
    keep("sound", on);
    if (on) this.#ring([660]);
  }

  // setNotices asks the browser where it has not been asked; false when the
  // browser does not allow it.
  async setNotices(on) {
    this.notices = on && !!globalThis.Notification && await Notification.requestPermission() === "granted";
    keep("notices", this.notices);
    return this.notices === on;
  }

  // look compares who waits and what was said with the last time. The first look
  // is at what was there already.
  look() {
    const waiting = this.stamp === this.board.stamp ? this.waiting : this.#waiting();
    const said = new Map(this.board.mine().map((row) => [row.id, this.#unread(row)]));
    if (this.waiting) {
      const fresh = [...waiting].find(([key]) => !this.waiting.has(key))?.[1];
      if (fresh && this.wanted()) this.#tell(fresh.row, fresh.what, fresh.words, [523, 784]);
      for (const row of this.board.mine()) {
        if (said.get(row.id) > this.said.get(row.id)) this.#tell(row, "wrote", summary(this.board.stories.get(row.id)?.lastSaid()?.body.content), [660]);
      }
    }
    Object.assign(this, { waiting, said, stamp: this.board.stamp });
  }

  // #waiting is who can be taken or answered, by what tells one from another.
  #waiting() {
    const { board } = this;
    const waits = board.waiting().filter((row) => board.mayTake(row)).map((row) => [`${row.id}/${board.offeredToMe(row)}`, { row, what: "is waiting", words: row.summary || row.reason || "" }]);
    const known = (key) => !board.reading.has(key.split("/")[0]) || this.waiting?.has(key); // what they said is still being read
    const left = board.left().map((row) => [`${row.id}/${row.left.since}`, row]).filter(([key]) => known(key)).map(([key, row]) => [key, { row, what: "left a message", words: summary(board.stories.get(row.id)?.now.heard?.body.content) }]);
    return new Map([...waits, ...left]);
  }

  #unread(row) { return this.board.isMine(row) ? this.board.stories.get(row.id)?.unread() || 0 : 0; }

  #tell(row, what, words, tones) {
    if (this.sound) this.#ring(tones);
    if (!this.notices || document.visibilityState === "visible" && document.hasFocus()) return;
    const note = new Notification(`${customerName(row, this.board.stories.get(row.id))} ${what}`, { body: words, tag: row.id });
    note.onclick = () => {
      window.focus();
      this.open(row.id);
      note.close();
    };
  }

  // #ring plays tones one after another, softly. A browser that has not seen its
  // person do anything yet stays silent.
  #ring(tones) {
    if (!globalThis.AudioContext) return;
    this.audio ??= new AudioContext();
    const start = this.audio.currentTime;
    tones.forEach((tone, i) => {
      const at = start + i * 0.16;
      const [source, volume] = [this.audio.createOscillator(), this.audio.createGain()];
      source.frequency.value = tone;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.12, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.3);
      source.connect(volume).connect(this.audio.destination);
      source.start(at);
      source.stop(at + 0.32);
    });
    this.audio.resume?.();
  }
}
