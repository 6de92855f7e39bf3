// What is set, and the way back. Places and lengths count the full photo's pixels.
const one = (selector) => element.querySelector(selector);
const all = (selector) => [...element.querySelectorAll(selector)];
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

const FRESH = {
  sharpness: "as_shot", point: null, nearer_px: 0, farther_px: 0, aperture_scale: 1, tilt: null, strokes: [],
  shape: null,
};
const room = {
  token: null, photo: null, set: structuredClone(FRESH), focus_px: 0,
  past: [], future: [], tool: "focus", effect: "sharpen", view: "picture", split: 0.5,
};

const diagonal = () => Math.hypot(...room.photo.size);

function snapshot() {
  return structuredClone({ set: room.set, focus_px: room.focus_px });
}

// Call before a change that shall be undone as one.
function remember() {
  room.past.push(snapshot());
  room.past = room.past.slice(-60);
  room.future = [];
}

function travel(from, to) {
  if (!from.length) return;
  to.push(snapshot());
  Object.assign(room, from.pop());
  changed();
}

// After every change: the panel follows at once, the picture as soon as it can.
function changed(moving = false) {
  drawPanel();
  drawMarks();
  drawInk();
  ask(moving);
}
