// Questions to the server: the newest setting wins, and no more than one is under way.
const talk = { wanted: null, busy: false, rest: null, opened: 0, polling: null };

function ask(moving, since = performance.now()) {
  clearTimeout(talk.rest);
  talk.wanted = { set: structuredClone(room.set), quick: moving, since };
  pump();
}

async function pump() {
  if (talk.busy || !talk.wanted) return;
  const job = talk.wanted;
  const opened = talk.opened;
  talk.wanted = null;
  talk.busy = true;
  const slow = setTimeout(() => { one(".busy").hidden = false; }, 350);
  const answer = await call("render", { controls: job.set, quick: job.quick });
  if (opened === talk.opened) await show(answer, job);
  clearTimeout(slow);
  talk.busy = false;
  if (talk.wanted) return pump();
  one(".busy").hidden = true;
  if (job.quick && !answer.error) talk.rest = setTimeout(() => ask(false), 200);
}

async function show(answer, job) {
  if (answer.error) return warn([answer.error], true);
  const image = one(".after");
  image.src = answer.picture;
  await image.decode().catch(() => {});
  room.focus_px = answer.focus_px;
  if (answer.blur) room.blur = answer.blur;
  warn(answer.warnings, false);
  drawPanel();
  drawOverlay();
  const [width, height] = room.photo.preview_size;
  one(".state").textContent =
    "Preview " + width + " × " + height + (answer.quick ? ", coarse while you move" : ", fine");
  const frame = one(".frame");
  const took = Math.round(performance.now() - job.since);
  frame.dataset.took = ((frame.dataset.took || "") + " " + took).trim().split(" ").slice(-100).join(" ");
  frame.dataset.shown = Number(frame.dataset.shown || 0) + 1;
  frame.dataset.quality = answer.quick ? "quick" : "fine";
}

async function call(name, record) {
  try {
    return await server[name]({ token: room.token, ...record });
  } catch (error) {
    return { error: "The app does not answer. Is it still running where you started it?" };
  }
}

function warn(lines, wrong) {
  one(".warnings").replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    item.classList.toggle("wrong", wrong);
    return item;
  }));
}

async function save() {
  const button = one(".export");
  button.disabled = true;
  let state = await call("begin_export", { controls: room.set, kind: one(".kind").value });
  one(".progress").hidden = Boolean(state.error);
  while (!state.error && !state.is_over) {
    one(".progress i").style.width = 100 * state.share + "%";
    one(".progress span").textContent = state.doing;
    await new Promise((resolve) => { talk.polling = setTimeout(resolve, 400); });
    state = await call("export_state", {});
  }
  one(".progress").hidden = true;
  button.disabled = false;
  if (state.error) return warn([state.error], true);
  if (state.notes.length) warn(state.notes, false);
  return trigger("exported");
}

async function open() {
  const asked = JSON.parse(props.value || "{}");
  talk.opened += 1;
  clearTimeout(talk.rest);
  one(".room").hidden = true;
  if (!asked.photo) return;
  room.token = asked.token;
  const photo = await call("look", {});
  if (photo.error) return warn([photo.error], true);
  Object.assign(room, {
    photo, set: structuredClone(FRESH), focus_px: 0, past: [], future: [], blur: null, view: "picture",
  });
  one(".frame").dataset.shown = 0;
  one(".room").hidden = false;
  setUpStage();
  setUpPanel();
  changed();
}
