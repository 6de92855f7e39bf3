// Aperture, sharp range, band, brush, presets.
const WIDEST = -2 * Math.log2(2.5), NARROWEST = 20 / 3; // stops from the captured aperture
const HINTS = {
  focus: "Click what shall be sharp. Drag to try other places.",
  tilt: "A sharp band across the picture, blur above and below.",
  brush: "Paint where the picture shall be sharper, softer, or as shot.",
};

const stopsOf = (scale) => -2 * Math.log2(scale);
const scaleOf = (stops) => 2 ** (-stops / 2);
const sharesOf = (stops) => (stops - WIDEST) / (NARROWEST - WIDEST);

function fWords() {
  const stops = stopsOf(room.set.aperture_scale);
  const { f_number, equivalent } = room.photo;
  const number = (f) => "f/" + (f < 9.95 ? f.toFixed(1) : f.toFixed(0));
  if (f_number) {
    const words = number(f_number * 2 ** (stops / 2));
    return equivalent ? words + "  (full frame " + number(equivalent * 2 ** (stops / 2)) + ")" : words;
  }
  const thirds = Math.round(Math.abs(stops) * 3);
  if (!thirds) return "as shot";
  const words = (thirds >= 3 ? Math.floor(thirds / 3) : "") + ["", "⅓", "⅔"][thirds % 3];
  return words + (thirds > 3 ? " stops " : " stop ") + (stops < 0 ? "wider" : "narrower");
}

function setUpPanel() {
  const slider = one(".aperture");
  Object.assign(slider, { min: WIDEST, max: NARROWEST, step: 0.01, value: 0 });
  // The thumb's middle travels from half its width to the track's end less that.
  one(".captured").style.left = "calc(10px + (100% - 20px) * " + sharesOf(0) + ")";
  one(".captured span").textContent = room.photo.f_number ? "as shot f/" + room.photo.f_number : "as shot";
  const counts = room.photo.axis.counts;
  const chart = one(".axis svg");
  chart.setAttribute("viewBox", "0 0 " + counts.length + " 100");
  chart.innerHTML = counts
    .map((count, i) => "<rect x='" + i + "' width='0.9' y='" + (100 - count) + "' height='" + count + "'/>").join("");
  one(".saves").textContent =
    "Saves " + room.photo.size.join(" × ") + " pixels with the photo's metadata, a note that it was edited, and a recipe that repeats the edit.";
  useTool("focus");
}

function useTool(tool) {
  room.tool = tool;
  one(".frame").dataset.tool = one(".panel").dataset.tool = tool;
  for (const tab of all(".tools button")) tab.classList.toggle("on", tab.dataset.tool === tool);
  one(".hint").textContent = HINTS[tool];
  drag.cursor = null;
  if (tool === "tilt" && room.set.sharpness !== "tilt") {
    remember();
    layBand();
    return changed();
  }
  drawMarks();
  return drawPanel();
}

function layBand() {
  const [width, height] = room.photo.size;
  room.set.sharpness = "tilt";
  room.set.tilt = room.set.tilt || {
    x: width / 2, y: 0.6 * height, angle_deg: 0, width_px: 0.2 * Math.min(width, height), blur_px: 0.012 * diagonal(),
  };
}

const PRESETS = {
  as_shot: () => Object.assign(room.set, structuredClone(FRESH)),
  all: () => Object.assign(room.set, { sharpness: "all" }),
  portrait: () => Object.assign(room.set, { sharpness: "point", point: room.set.point || subject(), aperture_scale: 2, nearer_px: 0, farther_px: 0 }),
  deep: () => Object.assign(room.set, { sharpness: room.set.point ? "point" : "as_shot", aperture_scale: 0.35 }),
  miniature: layBand,
};

const subject = () => [0.5 * room.photo.size[0], 0.55 * room.photo.size[1]].map(Math.round);

function usePreset(name) {
  remember();
  PRESETS[name]();
  useTool(name === "miniature" ? "tilt" : room.tool === "tilt" ? "focus" : room.tool);
  changed();
}

function setAperture(stops) {
  const snapped = Math.abs(stops) < 0.12 ? 0 : Math.round(stops * 3) / 3;
  room.set.aperture_scale = Math.min(scaleOf(snapped), 2.5);
  changed(true);
}

// The slider turns by a blade; the next would look the same.
function setShape(choice, share) {
  room.set.shape = !choice ? null
    : choice === "cat_eye" ? { step: "cat_eye", strength: share }
    : { step: "polygon", blades: Number(choice), rotation_deg: Math.round((share * 3600) / choice) / 10 };
}

function drawShape() {
  const { shape } = room.set;
  one(".shape").value = !shape ? "" : shape.step === "cat_eye" ? "cat_eye" : shape.blades;
  one(".shape-more").hidden = !shape;
  if (!shape) return;
  const isEye = shape.step === "cat_eye";
  one(".shape-what").textContent = isEye ? "Strength" : "Turned";
  one(".shape-amount").setAttribute("aria-label", isEye ? "Strength of the cat’s eyes" : "Turn of the blades");
  one(".shape-amount").value = 100 * (isEye ? shape.strength : (shape.rotation_deg * shape.blades) / 360);
}

const axisShare = (px) => {
  const { near_px, far_px } = room.photo.axis;
  return (px - near_px) / (far_px - near_px);
};

function drawPanel() {
  const { set, photo, focus_px } = room;
  one(".optics").classList.toggle("off", set.sharpness === "all");
  if (set.sharpness === "all") one(".hint").textContent = "Everything is sharp. Click the picture to focus on one thing again.";
  else one(".hint").textContent = HINTS[room.tool];
  one(".aperture").value = stopsOf(set.aperture_scale);
  one(".aperture").setAttribute("aria-valuetext", fWords());
  one(".f").textContent = fWords();
  const percent = (px) => 100 * clamp(axisShare(px), 0, 1) + "%";
  const [near, far] = [focus_px - set.nearer_px, focus_px + set.farther_px];
  one(".focus-mark").style.left = percent(focus_px);
  one(".handle.near").style.left = one(".sharp").style.left = percent(near);
  one(".handle.far").style.left = percent(far);
  one(".sharp").style.right = "calc(100% - " + percent(far) + ")";
  one(".range-words").textContent =
    set.nearer_px + set.farther_px > 0 ? "wider than the lens gives" : "as the lens gives";
  if (set.tilt) {
    const share = set.tilt.blur_px / (0.03 * diagonal());
    one(".tilt-blur").value = 100 * share;
    one(".tilt-words").textContent = Math.round(set.tilt.blur_px) + " px of " + photo.size[0];
  }
  drawShape();
  one(".undo").disabled = !room.past.length;
  one(".redo").disabled = !room.future.length;
}

function moveHandle(side, px) {
  const { near_px, far_px } = room.photo.axis;
  const at = clamp(px, near_px, far_px);
  if (side === "near") room.set.nearer_px = Math.max(0, room.focus_px - at);
  else room.set.farther_px = Math.max(0, at - room.focus_px);
  changed(true);
}

function setUpHandle(side) {
  const handle = one(".handle." + side);
  const axis = () => room.photo.axis;
  let grabbed = false;
  handle.addEventListener("pointerdown", (event) => {
    grabbed = true;
    handle.setPointerCapture(event.pointerId);
    remember();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!grabbed) return;
    const box = one(".axis").getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    moveHandle(side, axis().near_px + share * (axis().far_px - axis().near_px));
  });
  handle.addEventListener("pointerup", () => { grabbed = false; changed(); });
  handle.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!way) return;
    remember();
    const now = side === "near" ? room.focus_px - room.set.nearer_px : room.focus_px + room.set.farther_px;
    moveHandle(side, now + (way * (axis().far_px - axis().near_px)) / 40);
  });
}
