// An account's own colours, with others that can be read on and beside them.

const dark = "#111817";
const grounds = { light: "#ffffff", dark: "#1b2220" };
const readable = 4.5; // the least contrast for text, as WCAG 2 has it

function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// contrast is from 1, none, to 21.
export function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)].sort((m, n) => n - m);
  return (x + 0.05) / (y + 0.05);
}

const ink = (color) => (contrast(color, "#ffffff") >= contrast(color, dark) ? "#ffffff" : dark);
const onGround = (color, ground) => (contrast(color, ground) >= readable ? color : ink(ground));
const isColor = (text) => /^#[0-9a-f]{6}$/i.test(text || "");

// paint gives an element, and what is in it, its theme and colours.
export function paint(root, { color, color_dark: own, theme }) {
  root.style.colorScheme = ["light", "dark"].includes(theme) ? theme : "light dark";
  if (!isColor(color)) return;
  const night = isColor(own) ? own : color;
  const both = (day, after) => `light-dark(${day}, ${after})`;
  for (const name of ["--accent", "--mine"]) root.style.setProperty(name, both(color, night));
  for (const name of ["--accent-ink", "--mine-ink"]) root.style.setProperty(name, both(ink(color), ink(night)));
  root.style.setProperty("--accent-text", both(onGround(color, grounds.light), onGround(night, grounds.dark)));
}
