// Wires the parts together, once.
const frame = one(".frame");
frame.addEventListener("pointerdown", press);
frame.addEventListener("pointermove", pull);
frame.addEventListener("pointerup", letGo);
frame.addEventListener("pointercancel", letGo);
frame.addEventListener("pointerleave", () => { drag.cursor = null; if (room.photo) drawMarks(); });

const onSlide = (selector, slide) => {
  one(selector).addEventListener("pointerdown", remember);
  one(selector).addEventListener("keydown", (event) => event.key.startsWith("Arrow") && remember());
  one(selector).addEventListener("input", (event) => slide(Number(event.target.value)));
  one(selector).addEventListener("change", () => changed());
};
onSlide(".aperture", setAperture);
onSlide(".tilt-blur", (value) => {
  room.set.tilt.blur_px = (value / 100) * 0.03 * diagonal();
  changed(true);
});
one(".shape").addEventListener("change", (event) => {
  remember();
  setShape(event.target.value, event.target.value === "cat_eye" ? 1 : 0);
  changed();
});
onSlide(".shape-amount", (value) => {
  setShape(one(".shape").value, value / 100);
  changed(true);
});
setUpHandle("near");
setUpHandle("far");

const onClick = (selector, act) => all(selector).forEach((b) => b.addEventListener("click", () => act(b)));
onClick(".tools button", (tab) => useTool(tab.dataset.tool));
onClick(".presets button", (button) => usePreset(button.dataset.preset));
onClick(".views [data-view]", (button) => showView(button.dataset.view));
onClick(".compare", (button) => compare(button.getAttribute("aria-pressed") !== "true"));
onClick(".undo", () => travel(room.past, room.future));
onClick(".redo", () => travel(room.future, room.past));
onClick(".export", save);
onClick(".brushing [data-effect]", (button) => {
  room.effect = button.dataset.effect;
  all(".brushing [data-effect]").forEach((other) => other.classList.toggle("on", other === button));
});

const knob = one(".split");
let sliding = false;
knob.addEventListener("pointerdown", (event) => { sliding = true; knob.setPointerCapture(event.pointerId); });
knob.addEventListener("pointerup", () => { sliding = false; });
knob.addEventListener("pointermove", (event) => {
  const box = frame.getBoundingClientRect();
  if (sliding) split((event.clientX - box.left) / box.width);
});
knob.addEventListener("keydown", (event) => {
  const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (way) split(room.split + 0.04 * way);
});
new ResizeObserver(() => { if (room.photo) { split(room.split); drawMarks(); } }).observe(frame);

watch("value", open);
open();
