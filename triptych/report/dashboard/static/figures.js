// The figures: as the report draws them, with what the page asks for as it comes into view.
import { ask, columns, drawnRuns, mainColumn, paint, paintGroup, runOf, state, titleOf } from "./store.js";
import { element, ofSeeds, swatch } from "./words.js";

const kept = new Map();  // column, axis, smoothing -> run -> its curve, and which version of it
const drawn = new Map();  // figure -> what it shows, so that nothing is drawn twice
const seen = new Set();  // panels in view
const SELDOM = { curves: 0, means: 10000 };  // ms until they are asked for again: a bootstrap takes time, which the runs need
const FAINT = "55";  // behind a colour: of the curve that was smoothed
const figure = document.getElementById("figure");

const watcher = new IntersectionObserver(entries => {
  for (const { target, isIntersecting } of entries) isIntersecting ? seen.add(target.dataset.column) : seen.delete(target.dataset.column);
  draw().catch(() => {});
}, { rootMargin: "200px" });

// What is asked for once, by run or by a group's first run; what has not changed is not sent again.
async function fetched(path, names, given, mark) {
  if (!names.length) return new Map();
  const key = [path, ...given].join("\n");
  if (!kept.has(key)) kept.set(key, new Map());
  const curves = kept.get(key), of = names.join("\n");
  if (curves.of === of && performance.now() - curves.at < SELDOM[path]) return curves;
  Object.assign(curves, { of, at: performance.now() });
  const found = await ask(path, [...given, ...mark(curves)]);
  for (const [name, curve] of Object.entries(found)) if (curve.x) curves.set(name, curve);
  if (kept.size > 60) kept.delete(kept.keys().next().value);
  return curves;
}

async function curvesOf(column, names, points) {
  const given = [["column", column], ["axis", state.axis], ["smooth", state.smooth], ["points", points]];
  return fetched("curves", names, given, curves => names.flatMap(name => [["run", name], ["version", curves.get(name)?.version || ""]]));
}

async function meansOf(column, groups, points) {
  const given = [["column", column], ["axis", state.axis], ["smooth", state.smooth], ["points", points]];
  return fetched("means", groups.flat(), given, curves => [...groups.flat().map(name => ["run", name]),
    ...groups.flatMap(([first]) => [["known", first], ["version", curves.get(first)?.version || ""]])]);
}

function meanTraces(means, groups) {
  const firsts = groups.map(members => members[0]);
  return groups.flatMap(members => {
    const curve = means.get(members[0]), { colour, dash } = paintGroup(members[0], firsts);
    return curve?.x.length ? withBand(curve.x, curve, colour, ofSeeds(runOf(members[0]), members.length), { dash }) : [];
  });
}

function traces(curves, column, names) {
  const found = [];
  for (const name of names) {
    const curve = curves.get(name), { colour, dash } = paint(name);
    if (!curve || !curve.x.length) continue;
    const marks = curve.x.length < 30 || column === "evaluation_mean";
    if (curve.raw) found.push({ type: "scatter", mode: "lines", ...curve.raw, line: { color: colour + FAINT, width: 1 }, hoverinfo: "skip" });
    found.push({ type: "scatter", mode: marks ? "lines+markers" : "lines", name: plain(name), x: curve.x, y: curve.y,
      line: { color: colour, dash, width: state.picked.length > 12 ? 1.2 : 1.8 }, marker: { size: 5, color: colour } });
  }
  return found;
}

// What decides how a figure looks, but for its curves.
const look = () => [document.documentElement.dataset.theme, isDark(), innerWidth < 760].join();

// Draws a column into a box; whether there was anything.
async function show(box, column, size) {
  const { groups, single } = drawnRuns();
  const [curves, means] = await Promise.all([curvesOf(column, single, size === "tall" ? 1200 : 400), meansOf(column, groups, size === "tall" ? 200 : 80)]);
  const versions = [...single.map(name => `${name}:${curves.get(name)?.version}`), ...groups.map(([first]) => `${first}:${means.get(first)?.version}`)];
  const told = [column, state.axis, state.smooth, state.log, look(), ...versions].join("\n");
  const lines = [...meanTraces(means, groups), ...traces(curves, column, single)];
  if (lines.length && drawn.get(box) !== told) {
    drawn.set(box, told);
    const shape = layout(size === "tall" ? Object.fromEntries(state.about.axes)[state.axis] : "", "", size);
    shape.uirevision = [column, state.axis, state.log].join();  // what the reader has zoomed to stays
    if (state.log) Object.assign(shape.yaxis, { type: "log", tickformat: ".3~r" });
    await Plotly.react(box, lines, shape, { ...config, displayModeBar: size === "tall" && innerWidth > 760 ? "hover" : false });
    box.setAttribute("aria-label", `${titleOf(column)} over ${state.axis}, ${lines.length} curves`);
  }
  return lines.length > 0;
}

function panel(column, choose) {
  const title = element("h3", {}, element("button", { type: "button", class: "plain", title: "Show it large", onclick: () => choose(column) }, titleOf(column)));
  const box = element("div", { class: "panel", "data-column": column }, title, element("div", { class: "figure small", role: "img", "aria-label": titleOf(column) }));
  watcher.observe(box);
  return box;
}

// Panels for the columns that there are; those that stay are left as they are.
export function arrange(choose) {
  const all = columns(), main = mainColumn(), wanted = all.filter(column => column !== main), box = document.getElementById("panels");
  for (const old of [...box.children]) {
    if (wanted.includes(old.dataset.column)) continue;
    watcher.unobserve(old);
    seen.delete(old.dataset.column);
    old.remove();
  }
  wanted.forEach((column, place) => {
    const there = [...box.children].find(one => one.dataset.column === column) || panel(column, choose);
    if (box.children[place] !== there) box.insertBefore(there, box.children[place] || null);
  });
  const select = document.getElementById("column");
  if ([...select.options].map(one => one.value).join() !== all.join()) select.replaceChildren(...all.map(name => new Option(titleOf(name), name)));
  select.value = main;
  document.getElementById("curves").hidden = !main;
  document.getElementById("all").hidden = !wanted.length;
  legend();
}

function legend() {
  const { on, possible, groups, single } = drawnRuns();
  document.getElementById("means-label").hidden = !possible;
  document.getElementById("means").checked = on;
  const key = (painted, text) => element("span", { class: "key", "aria-pressed": "true" }, swatch(painted), text);
  const firsts = groups.map(members => members[0]);
  const all = [...groups.map(members => key(paintGroup(members[0], firsts), ofSeeds(runOf(members[0]), members.length))), ...single.map(name => key(paint(name), name))];
  const keys = all.slice(0, 24), left = all.length - keys.length;
  document.getElementById("legend").replaceChildren(...keys, ...(left > 0 ? [element("span", { class: "note" }, `and ${left} more`)] : []));
}

// Figures out of view that were drawn for another theme or width: they are drawn anew once they are seen.
let looked = "";
function forget() {
  if (looked === look()) return;
  looked = look();
  for (const panel of document.querySelectorAll("#panels .panel")) {
    const box = panel.querySelector(".figure");
    if (!seen.has(panel.dataset.column) && drawn.delete(box)) Plotly.purge(box);
  }
}

let drawing = Promise.resolve();
export function draw() {
  drawing = drawing.catch(() => {}).then(drawAll);
  return drawing;
}

async function drawAll() {
  forget();
  const main = mainColumn();
  document.getElementById("title").textContent = main ? titleOf(main) : "";
  if (!main || !state.picked.some(runOf)) return;
  const found = await show(figure, main, "tall");
  figure.hidden = !found;
  document.getElementById("nothing").hidden = found;
  const inView = [...document.querySelectorAll("#panels .panel")].filter(box => seen.has(box.dataset.column));
  await Promise.all(inView.map(async box => box.classList.toggle("nothing", !await show(box.querySelector(".figure"), box.dataset.column, "small"))));
}
