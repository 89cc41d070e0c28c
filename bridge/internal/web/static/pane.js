// A window on a long conversation: of ten thousand lines only the ones around
// what is read are on the page. It follows the newest line as long as the reader
// is there, and stays where they read otherwise.
import { atEnd } from "./dom.js";
import { draw, lines, tells } from "./talk.js";

const page = 120; // events added at an edge
const most = 360; // events on the page at once
const near = 500; // pixels before an edge at which the next ones are added

export class Pane {
  // box scrolls, parent holds the lines. moved is called when the reader has
  // gone elsewhere.
  constructor(box, parent, { view, hands, moved }) {
    Object.assign(this, { box, parent, view, hands, moved });
    box.addEventListener("scroll", () => {
      this.turning ??= requestAnimationFrame(() => {
        this.turning = undefined;
        this.#turn();
      });
    }, { passive: true });
    this.open();
  }

  // open begins anew, at the newest line.
  open() {
    this.parent.replaceChildren();
    Object.assign(this, { story: undefined, events: [], from: 0, to: 0, follows: true, fresh: true });
  }

  // draw brings the page up to the story and to what is on its way.
  draw(story, pending) {
    this.pending = pending;
    const whole = this.to === this.events.length;
    this.#catchUp(story);
    const all = this.events.length;
    if (this.follows || whole && all - this.from < most) this.to = all;
    if (this.follows && this.to - this.from > most) this.from = this.to - page;
    this.#show(this.fresh);
    this.fresh = !story.complete;
  }

  // newest and oldest go to either end.
  newest() {
    this.follows = true;
    if (this.to !== this.events.length) this.from = Math.max(0, this.events.length - page);
    this.to = this.events.length;
    this.#show(true);
  }

  oldest() {
    Object.assign(this, { follows: false, from: 0, to: Math.min(this.events.length, most) });
    this.#show(true);
    this.box.scrollTop = 0;
  }

  // #catchUp lists the events that have lines; each is looked at once, unless one
  // came late.
  #catchUp(story) {
    if (this.story !== story || this.late !== story.late) Object.assign(this, { story, late: story.late, events: [], seen: 0 });
    for (; this.seen < story.ordered.length; this.seen++) {
      const e = story.ordered[this.seen];
      if (tells(e, this.view)) this.events.push(e);
    }
    this.to = Math.min(this.to, this.events.length);
    this.from = Math.min(this.from, this.to);
  }

  // #show draws the window. Lines of before are not read out as news.
  #show(before) {
    const { box, parent, story } = this;
    const mark = this.follows ? undefined : this.#landmark();
    parent.setAttribute("aria-live", before ? "off" : "polite");
    const part = { events: this.events.slice(this.from, this.to), ends: this.to === this.events.length };
    draw(parent, lines(story, this.pending, this.view, part), this.hands);
    if (this.follows) box.scrollTop = box.scrollHeight;
    else if (mark) this.#back(mark);
  }

  // #landmark is the first line that is seen, and where it stands.
  #landmark() {
    const top = this.box.scrollTop;
    for (const node of this.parent.children) {
      if (node.offsetTop + node.offsetHeight > top) return { key: node.dataset.key, at: node.offsetTop - top };
    }
    return undefined;
  }

  #back({ key, at }) {
    const node = this.parent.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (node) this.box.scrollTop = node.offsetTop - at;
  }

  // #turn looks where the reader has gone, and adds what is next there.
  #turn() {
    if (!this.story) return;
    const { box } = this;
    const all = this.events.length;
    this.follows = this.to === all && atEnd(box);
    if (box.scrollTop < near && this.from > 0) {
      this.from = Math.max(0, this.from - page);
      this.to = Math.min(this.to, this.from + most);
      this.#show(true);
    } else if (box.scrollHeight - box.scrollTop - box.clientHeight < near && this.to < all) {
      this.to = Math.min(all, this.to + page);
      this.from = Math.max(this.from, this.to - most);
      this.#show(true);
    }
    this.moved();
  }
}
