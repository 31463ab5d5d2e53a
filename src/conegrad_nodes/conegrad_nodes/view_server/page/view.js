"use strict";
/* The live view: asks its own server for the newest state and picture, and draws them. */

const TABLE_PERIOD = 1000; // [ms] between two changes of tables, so that they can be read
const RETRY = 1000; // [ms] to the next attempt where the server does not answer
const HIDDEN_PERIOD = 500; // [ms] between two looks whether the page is shown again
const BEHIND = 0.2; // share of the reach that is shown behind the car
// Shape and letter tell the colours apart, too.
const SIGNS = {
  blue: { letter: "B", shape: "circle", fill: "#1f64de", ink: "#fff", name: "blue" },
  yellow: { letter: "Y", shape: "triangle", fill: "#f6c40f", ink: "#000", name: "yellow" },
  small_orange: { letter: "O", shape: "square", fill: "#f77f17", ink: "#000", name: "small orange" },
  big_orange: { letter: "G", shape: "diamond", fill: "#c2410c", ink: "#fff", name: "big orange (G)" },
  unknown: { letter: "?", shape: "circle", fill: "#7b828c", ink: "#fff", name: "unknown colour" },
};
const LEVEL_MARKS = { OK: "✓ OK", WARN: "! WARN", ERROR: "✕ ERROR", STALE: "… STALE" };
const LINE_COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#8a6d00", "#56b4e9", "#7b5ea7", "#7b828c"];
const DASHES = [[], [10, 4], [3, 3], [12, 4, 3, 4], [6, 6], [16, 4]];

const byId = (id) => document.getElementById(id);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const isStill = new URLSearchParams(location.search).has("still"); // one state and one picture
let isPaused = false;
let lastTables = -Infinity;
let lastState = null;

function element(tag, text, className) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function setText(id, text) {
  const target = byId(id);
  if (target.textContent !== text) target.textContent = text;
}

function setRows(id, rows) {
  byId(id).replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((cell) => (cell instanceof Node ? cell : element("td", cell))));
    return row;
  }));
}

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/* --- signs of cones --- */

function tracePath(context, shape, x, y, size) {
  context.beginPath();
  if (shape === "circle") context.arc(x, y, size, 0, 2 * Math.PI);
  if (shape === "square") context.rect(x - size, y - size, 2 * size, 2 * size);
  if (shape === "diamond") {
    context.moveTo(x, y - 1.35 * size); context.lineTo(x + 1.35 * size, y);
    context.lineTo(x, y + 1.35 * size); context.lineTo(x - 1.35 * size, y); context.closePath();
  }
  if (shape === "triangle") {
    context.moveTo(x, y - 1.4 * size); context.lineTo(x + 1.3 * size, y + size);
    context.lineTo(x - 1.3 * size, y + size); context.closePath();
  }
}

function drawSign(context, colour, x, y, size, ink) {
  const sign = SIGNS[colour] || SIGNS.unknown;
  tracePath(context, sign.shape, x, y, size);
  context.fillStyle = sign.fill; context.fill();
  context.strokeStyle = ink; context.lineWidth = 2; context.stroke();
  context.fillStyle = sign.ink; context.font = `700 ${Math.round(1.3 * size)}px sans-serif`;
  context.textAlign = "center"; context.textBaseline = "middle";
  context.fillText(sign.letter, x, y + (sign.shape === "triangle" ? 0.25 * size : 0.05 * size));
}

function drawLegend() {
  byId("legend").replaceChildren(...Object.entries(SIGNS).map(([colour, sign]) => {
    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 44; canvas.setAttribute("aria-hidden", "true");
    drawSign(canvas.getContext("2d"), colour, 22, 23, 13, css("--ink"));
    const entry = document.createElement("li");
    entry.append(canvas, ` ${sign.name}`);
    return entry;
  }));
}

/* --- bird's eye view: x ahead is up, y left is left --- */

function drawBirdsEye(state) {
  const canvas = byId("birds-eye"), context = canvas.getContext("2d");
  const reach = Number(byId("reach").value), scale = canvas.height / ((1 + BEHIND) * reach);
  const origin = [canvas.width / 2, canvas.height * (1 / (1 + BEHIND))];
  const place = (x, y) => [origin[0] - y * scale, origin[1] - x * scale];
  const ink = css("--ink");
  context.fillStyle = css("--paper"); context.fillRect(0, 0, canvas.width, canvas.height);
  drawRings(context, origin, scale, reach);
  const frame = state.cones ? state.cones.frame : (state.returns || state.truth || {}).frame;
  const skipped = [];
  const layer = (name) => {
    const found = state[name];
    if (found && found.frame !== frame) { skipped.push(`${found.topic} is in ${found.frame}`); return []; }
    return found ? found.rows : [];
  };
  if (byId("show-returns").checked) drawReturns(context, layer("returns"), place);
  if (byId("show-truth").checked) drawTruth(context, layer("truth"), place, scale);
  const cones = layer("cones");
  if (byId("show-ellipses").checked) cones.forEach((cone) => drawEllipse(context, cone, place, scale, ink));
  [...cones].reverse().forEach((cone) => {
    context.globalAlpha = 0.35 + 0.65 * cone.existence;
    drawSign(context, cone.colour, ...place(cone.x, cone.y), 13, ink);
    context.globalAlpha = 1;
  });
  drawCar(context, origin, ink);
  return { frame, skipped };
}

function drawRings(context, origin, scale, reach) {
  context.strokeStyle = css("--grid"); context.fillStyle = css("--muted"); context.lineWidth = 1.5;
  context.font = "22px sans-serif"; context.textAlign = "left"; context.textBaseline = "bottom";
  const step = reach > 20 ? 10 : 5;
  for (let radius = step; radius <= reach; radius += step) {
    context.beginPath(); context.arc(...origin, radius * scale, 0, 2 * Math.PI); context.stroke();
    context.fillText(`${radius} m`, origin[0] + 6, origin[1] - radius * scale - 2);
  }
}

function drawReturns(context, rows, place) {
  const [plain, onCone] = [css("--returns"), css("--on-cone")];
  for (const [x, y, isCone] of rows) {
    const [u, v] = place(x, y), size = isCone ? 7 : 4;
    context.fillStyle = isCone ? onCone : plain;
    context.fillRect(u - size / 2, v - size / 2, size, size);
  }
}

function drawTruth(context, rows, place, scale) {
  context.strokeStyle = css("--truth"); context.lineWidth = 2; context.setLineDash([4, 3]);
  for (const [x, y] of rows) {
    context.beginPath(); context.arc(...place(x, y), Math.max(18, 0.4 * scale), 0, 2 * Math.PI); context.stroke();
  }
  context.setLineDash([]);
}

function drawEllipse(context, cone, place, scale, ink) {
  const [major, minor, yaw] = cone.ellipse, [u, v] = place(cone.x, cone.y);
  context.beginPath();
  // The direction is counter-clockwise from ahead, which is up in the picture.
  context.ellipse(u, v, major * scale, minor * scale, -yaw - Math.PI / 2, 0, 2 * Math.PI);
  context.strokeStyle = ink; context.lineWidth = 1.5; context.stroke();
}

function drawCar(context, [u, v], ink) {
  context.beginPath(); context.moveTo(u, v - 20); context.lineTo(u + 12, v + 14); context.lineTo(u - 12, v + 14);
  context.closePath(); context.fillStyle = ink; context.fill();
}

function describeCones(state, drawn) {
  if (!state.cones) return "no cones now";
  const rows = state.cones.rows;
  const counts = Object.keys(SIGNS).map((colour) => [SIGNS[colour].name, rows.filter((cone) => cone.colour === colour).length]);
  const named = counts.filter(([, count]) => count).map(([name, count]) => `${count} ${name}`);
  const nearest = rows.length ? `; the nearest ${Math.hypot(rows[0].x, rows[0].y).toFixed(1)} m away` : "";
  const skipped = drawn.skipped.length ? `; not shown, for its frame is another one: ${drawn.skipped.join(", ")}` : "";
  return `${rows.length} cones in ${drawn.frame}${named.length ? ": " + named.join(", ") : ""}${nearest}${skipped}`;
}

/* --- curves --- */

function drawCurves(curves) {
  const canvas = byId("curves"), context = canvas.getContext("2d");
  const names = Object.keys(curves), points = Object.values(curves).flat();
  context.fillStyle = css("--paper"); context.fillRect(0, 0, canvas.width, canvas.height);
  const isLog = points.every(([, value]) => value > 0);
  const level = (value) => (isLog ? Math.log10(value) : value);
  const finite = points.filter(([, value]) => Number.isFinite(value));
  if (!finite.length) return;
  const steps = finite.map(([step]) => step), levels = finite.map(([, value]) => level(value));
  const range = (values) => { const low = Math.min(...values), high = Math.max(...values); return [low, high > low ? high : low + 1]; };
  const [first, last] = range(steps), [low, high] = range(levels);
  const left = 90, right = canvas.width - 190, top = 20, bottom = canvas.height - 50;
  const u = (step) => left + (right - left) * (step - first) / (last - first);
  const v = (value) => bottom - (bottom - top) * (level(value) - low) / (high - low);
  context.font = "20px sans-serif"; context.lineWidth = 1.5; context.textBaseline = "middle";
  for (let line = 0; line <= 4; line += 1) {
    const height = low + (high - low) * line / 4, y = bottom - (bottom - top) * line / 4;
    context.strokeStyle = css("--grid"); context.beginPath(); context.moveTo(left, y); context.lineTo(right, y); context.stroke();
    context.fillStyle = css("--muted"); context.textAlign = "right";
    context.fillText((isLog ? 10 ** height : height).toPrecision(3), left - 10, y);
  }
  context.textAlign = "center"; context.fillText(`step ${first}`, left, bottom + 28); context.fillText(`step ${last}`, right, bottom + 28);
  const labels = [];
  names.forEach((name, row) => {
    context.strokeStyle = LINE_COLOURS[row % LINE_COLOURS.length]; context.setLineDash(DASHES[row % DASHES.length]);
    context.lineWidth = 3; context.beginPath();
    curves[name].forEach(([step, value], place) => context[place ? "lineTo" : "moveTo"](u(step), v(value)));
    context.stroke(); context.setLineDash([]);
    labels.push({ name, y: v(curves[name].at(-1)[1]), colour: context.strokeStyle });
  });
  labels.sort((a, b) => a.y - b.y);
  context.textAlign = "left";
  let lowest = top;
  for (const label of labels) {
    const y = Math.max(label.y, lowest); lowest = y + 22;
    context.fillStyle = label.colour; context.fillRect(right + 8, y - 6, 12, 12);
    context.fillStyle = css("--ink"); context.fillText(label.name, right + 26, y);
  }
}

/* --- the page --- */

function showState(state) {
  lastState = state;
  setText("title", state.title);
  document.title = `${state.title} · ConeGrad`;
  if (!isPaused) setText("activity", state.activity);
  byId("camera-section").hidden = !state.expected.includes("image");
  const hasGround = state.expected.includes("cones");
  byId("birds-eye-section").hidden = !hasGround;
  if (hasGround) {
    const drawn = drawBirdsEye(state);
    if (isTableTime()) {
      const text = describeCones(state, drawn);
      setText("birds-eye-text", text); byId("birds-eye").setAttribute("aria-label", text);
    }
  }
  if (!isTableTime()) return;
  lastTables = performance.now();
  showFigures(state);
  showCurves(state.curves);
  showTables(state);
}

function isTableTime() {
  return performance.now() - lastTables >= TABLE_PERIOD;
}

function showFigures(state) {
  const figures = Object.entries(state.figures);
  if (state.motion) figures.unshift(["speed", `${state.motion.speed.toFixed(1)} m/s`]);
  byId("figures-section").hidden = !figures.length;
  byId("figures").replaceChildren(...figures.map(([name, value]) => {
    const group = document.createElement("div");
    group.append(element("dt", name), element("dd", value));
    return group;
  }));
}

function showCurves(curves) {
  const names = Object.keys(curves);
  byId("curves-section").hidden = !names.length;
  if (!names.length) return;
  drawCurves(curves);
  const rows = names.map((name) => {
    const values = curves[name].map(([, value]) => value);
    return [name, values[0], Math.min(...values), values.at(-1)];
  });
  setRows("losses", rows.map(([name, ...values]) => [name, ...values.map((value) => value.toPrecision(4))]));
  byId("curves").setAttribute("aria-label", `Losses: ${rows.map((row) => `${row[0]} ${row[3].toPrecision(3)}`).join(", ")}`);
}

function showTables(state) {
  byId("missing").hidden = !state.missing.length;
  const lines = byId("missing-list"), known = [...lines.children].map((line) => line.textContent);
  if (known.join("\n") !== state.missing.join("\n")) lines.replaceChildren(...state.missing.map((line) => element("li", line)));
  const cones = state.cones ? state.cones.rows : [];
  setRows("cones", cones.map((cone) => [
    (SIGNS[cone.colour] || SIGNS.unknown).name, cone.x.toFixed(2), cone.y.toFixed(2),
    `${cone.ellipse[0].toFixed(2)} × ${cone.ellipse[1].toFixed(2)}`, cone.existence.toFixed(2), cone.source,
  ]));
  setRows("topics", state.topics.map((topic) => [topic.topic, topic.rate.toFixed(1), topic.age.toFixed(1)]));
  byId("latencies-region").hidden = !state.latencies.length;
  setRows("latencies", state.latencies.map((entry) => [entry.topic, entry.p50.toFixed(1), entry.p95.toFixed(1)]));
  const isTraining = !state.expected.length;
  byId("diagnostics").hidden = byId("rates-section").hidden = byId("skip").hidden = isTraining;
  const bad = state.statuses.filter((status) => status.level !== "OK").length;
  setText("diagnostics-text", state.statuses.length ? `${state.statuses.length} parts report, ${bad} of them with a problem` : "nothing on /diagnostics yet");
  setRows("statuses", state.statuses.map((status) => [
    element("td", LEVEL_MARKS[status.level], `level ${status.level}`), status.name, status.message,
  ]));
}

function say(text) { setText("activity", text); }

async function ask(path, after) {
  const answer = await fetch(`${path}?after=${after}`, { cache: "no-store" });
  if (!answer.ok && answer.status !== 415) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer;
}

async function follow(path, take) {
  let after = 0;
  for (;;) {
    if (isPaused || document.hidden) { await sleep(HIDDEN_PERIOD); continue; }
    try {
      const answer = await ask(path, after);
      if (answer.status === 204 && isStill) return;
      if (answer.status === 204) { if (!after) await sleep(HIDDEN_PERIOD); continue; }
      after = Number(answer.headers.get("X-Number"));
      if (!isPaused) await take(answer);
      if (isStill) return;
    } catch (error) {
      after = 0;
      say(`no connection to the view (${error.message}): it has ended, or starts; trying again`);
      await sleep(RETRY);
    }
  }
}

async function takePicture(answer) {
  const picture = byId("camera");
  if (answer.status === 415) { picture.hidden = true; setText("camera-text", await answer.text()); return; }
  const boxes = answer.headers.get("X-Boxes");
  const address = URL.createObjectURL(await answer.blob()), before = picture.src;
  picture.src = address;
  picture.hidden = false;
  if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  const text = boxes === null ? "no detections of this picture" : `${boxes} boxes`;
  setText("camera-text", text);
  picture.alt = `Camera picture, ${text}`;
}

function pause() {
  isPaused = !isPaused;
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  say(isPaused ? "paused: what is shown stays" : "going on");
}

function redraw() {
  drawLegend();
  if (!lastState) return;
  if (lastState.expected.includes("cones")) drawBirdsEye(lastState);
  showCurves(lastState.curves);
}

byId("pause").addEventListener("click", pause);
for (const id of ["reach", "show-returns", "show-ellipses", "show-truth"]) byId(id).addEventListener("change", redraw);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
drawLegend();
follow("state.json", async (answer) => showState(await answer.json()));
follow("camera.jpg", takePicture);
