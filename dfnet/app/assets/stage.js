// The picture and what lies on it: ring, band, paint, overlays, before and after.
const COLOURS = { sharpen: "#22c55e", blur: "#3b82f6", protect: "#facc15" };
const SVG = "http://www.w3.org/2000/svg";
const drag = { kind: null, stroke: null, cursor: null };

function setUpStage() {
  const [width, height] = room.photo.preview_size;
  const frame = one(".frame");
  frame.style.aspectRatio = width + " / " + height;
  frame.style.setProperty("--aspect", width / height);
  frame.style.width = "min(100%, calc(74vh * " + width / height + "))";
  one(".before img").src = one(".after").src = room.photo.photo;
  one(".marks").setAttribute("viewBox", "0 0 " + room.photo.size.join(" "));
  const ink = one(".ink");
  [ink.width, ink.height] = [width, height];
  compare(false);
  showView("picture");
}

// Pixel centres lie at integers, so the left border is at -0.5.
function place(event) {
  const box = one(".frame").getBoundingClientRect();
  const [width, height] = room.photo.size;
  return [
    clamp(((event.clientX - box.left) / box.width) * width - 0.5, 0, width - 1),
    clamp(((event.clientY - box.top) / box.height) * height - 0.5, 0, height - 1),
  ];
}

function mark(name, attributes) {
  const shape = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) shape.setAttribute(key, value);
  one(".marks").append(shape);
}

// One pixel of the screen, in pixels of the photo: marks look alike at every size.
const dot = () => room.photo.size[0] / Math.max(one(".frame").clientWidth, 1);

// Every line twice: dark and wide below, so that it shows on any photo.
function line(name, attributes, colour = "#fff") {
  const thin = 1.8 * dot();
  mark(name, { fill: "none", stroke: "#000", "stroke-opacity": 0.55, "stroke-width": 2.4 * thin, ...attributes });
  mark(name, { fill: "none", stroke: colour, "stroke-width": thin, ...attributes });
}

function drawMarks() {
  one(".marks").replaceChildren();
  if (room.set.sharpness === "point") drawRing(...room.set.point);
  if (room.tool === "tilt" && room.set.tilt) drawBand();
  if (room.tool === "brush" && drag.cursor) {
    line("circle", { cx: drag.cursor[0], cy: drag.cursor[1], r: brushRadius() });
  }
}

function drawRing(cx, cy) {
  const r = 22 * dot();
  line("circle", { class: "ring", cx, cy, r }, "#fbbf24");
  line("circle", { cx, cy, r: 3 * dot() }, "#fbbf24");
}

function bandGeometry() {
  const { x, y, angle_deg, width_px } = room.set.tilt;
  const angle = (angle_deg * Math.PI) / 180;
  const along = [Math.cos(angle), Math.sin(angle)];
  const reach = 0.28 * Math.min(...room.photo.size);
  return { x, y, along, across: [-along[1], along[0]], width_px, end: [x + reach * along[0], y + reach * along[1]] };
}

function drawBand() {
  const { x, y, along, across, width_px, end } = bandGeometry();
  const far = 2 * diagonal();
  for (const shift of [-width_px / 2, 0, width_px / 2]) {
    const [cx, cy] = [x + shift * across[0], y + shift * across[1]];
    const dashes = shift ? {} : { "stroke-dasharray": 12 * dot() };
    line("line", {
      x1: cx - far * along[0], y1: cy - far * along[1], x2: cx + far * along[0], y2: cy + far * along[1], ...dashes,
    });
  }
  const r = 11 * dot();
  mark("circle", { class: "band-middle", cx: x, cy: y, r, fill: "#fff", stroke: "#000" });
  mark("circle", { class: "band-end", cx: end[0], cy: end[1], r, fill: "#fbbf24", stroke: "#000" });
}

function grabBand([px, py]) {
  const { x, y, across, width_px, end } = bandGeometry();
  const near = 26 * dot();
  const off = (px - x) * across[0] + (py - y) * across[1];
  if (Math.hypot(px - end[0], py - end[1]) < near) return "turn";
  if (Math.hypot(px - x, py - y) < near) return "move";
  if (Math.abs(Math.abs(off) - width_px / 2) < near / 1.5) return "widen";
  return "move";
}

function pullBand([px, py]) {
  const tilt = room.set.tilt;
  if (drag.kind === "move") [tilt.x, tilt.y] = [px, py];
  if (drag.kind === "turn") tilt.angle_deg = (Math.atan2(py - tilt.y, px - tilt.x) * 180) / Math.PI;
  if (drag.kind === "widen") {
    const { x, y, across } = bandGeometry();
    tilt.width_px = 2 * Math.abs((px - x) * across[0] + (py - y) * across[1]);
  }
}

const brushRadius = () => (diagonal() * Number(one(".radius").value)) / 700;

function drawInk() {
  const ink = one(".ink");
  const scale = ink.width / room.photo.size[0];
  const pen = ink.getContext("2d");
  pen.clearRect(0, 0, ink.width, ink.height);
  pen.lineCap = pen.lineJoin = "round";
  for (const stroke of [...room.set.strokes, ...(drag.stroke ? [drag.stroke] : [])]) {
    pen.globalCompositeOperation = stroke.effect === "erase" ? "destination-out" : "source-over";
    pen.strokeStyle = COLOURS[stroke.effect] || "#000";
    pen.lineWidth = 2 * stroke.radius_px * scale;
    pen.beginPath();
    const points = stroke.points.map(([x, y]) => [(x + 0.5) * scale, (y + 0.5) * scale]);
    pen.moveTo(...points[0]);
    for (const point of points) pen.lineTo(...point);
    pen.lineTo(points.at(-1)[0] + 0.01, points.at(-1)[1]);
    pen.stroke();
  }
}

function press(event) {
  if (!room.photo || event.target.closest(".split")) return;
  event.preventDefault();
  one(".frame").setPointerCapture(event.pointerId);
  const at = place(event);
  remember();
  if (room.tool === "focus") {
    drag.kind = "focus";
    Object.assign(room.set, { sharpness: "point", point: at });
    return changed(true);
  }
  if (room.tool === "tilt") {
    drag.kind = grabBand(at);
    return pull(event);
  }
  drag.kind = "paint";
  one(".frame").classList.add("painting");
  drag.stroke = { effect: room.effect, radius_px: brushRadius(), points: [at] };
  return drawInk();
}

function pull(event) {
  const at = place(event);
  if (room.tool === "brush") drag.cursor = at;
  if (drag.kind === null) return room.tool === "brush" && drawMarks();
  if (drag.kind === "paint") {
    const last = drag.stroke.points.at(-1);
    if (Math.hypot(at[0] - last[0], at[1] - last[1]) > drag.stroke.radius_px / 6) drag.stroke.points.push(at);
    drawInk();
    return drawMarks();
  }
  if (drag.kind === "focus") room.set.point = at;
  else pullBand(at);
  return changed(true);
}

function letGo() {
  if (drag.kind === null) return;
  if (drag.stroke) room.set.strokes.push(drag.stroke);
  Object.assign(drag, { kind: null, stroke: null });
  one(".frame").classList.remove("painting");
  changed();
}

const LEGENDS = {
  depth: "<span>far</span><span class='key' style='background:linear-gradient(90deg,#440154,#31688e,#35b779,#fde725)'></span><span>near</span>",
  blur: "Wanted blur: <span class='key' style='background:linear-gradient(90deg,#2878ff,#2878ff00)'></span> before the focus, clear is sharp, <span class='key' style='background:linear-gradient(90deg,#ff821e00,#ff821e)'></span> behind it",
  doubt: "Striped: the two photos could not be matched there. Depth is a guess, and nothing can be made sharper than it was.",
};

function showView(view) {
  room.view = view;
  const frame = one(".frame");
  for (const name of ["depth", "blur", "doubt"]) frame.classList.toggle(name, name === view);
  for (const button of all(".views [data-view]")) button.classList.toggle("on", button.dataset.view === view);
  one(".legend").hidden = view === "picture";
  one(".legend").innerHTML = LEGENDS[view] || "";
  drawOverlay();
}

function drawOverlay() {
  const source = { depth: room.photo.depth, doubt: room.photo.doubt, blur: room.blur }[room.view];
  if (source) one(".overlay").src = source;
}

function compare(on) {
  one(".frame").classList.toggle("comparing", on);
  one(".compare").setAttribute("aria-pressed", on);
  split(0.5);
}

function split(share) {
  room.split = clamp(share, 0, 1);
  one(".split").style.left = one(".before").style.width = 100 * room.split + "%";
  one(".before img").style.width = one(".frame").clientWidth + "px";
  one(".split").setAttribute("aria-valuenow", Math.round(100 * room.split));
}
