// What is kept through a reload, and for one tab. Where a browser forbids that,
// the page remembers for as long as it is open.

class Store {
  constructor(name) {
    this.memory = new Map();
    try {
      this.kept = window[name];
    } catch { /* forbidden */ }
  }

  getItem(key) {
    try {
      return this.kept.getItem(key) ?? this.memory.get(key) ?? null;
    } catch {
      return this.memory.get(key) ?? null;
    }
  }

  setItem(key, value) {
    this.memory.delete(key);
    try {
      this.kept.setItem(key, value);
    } catch {
      this.memory.set(key, value);
    }
  }

  removeItem(key) {
    this.memory.delete(key);
    try {
      this.kept.removeItem(key);
    } catch { /* it was never there */ }
  }
}

export const lasting = new Store("localStorage");
export const passing = new Store("sessionStorage");
