// The page's heart: it asks again every other second, while somebody looks.
import { arrange, draw } from "./figures.js";
import { drawFocus } from "./focus.js";
import { drawList, shown, step } from "./list.js";
import { NoAnswer, ask, pick, recall, remember, settle, state } from "./store.js";
import { element } from "./words.js";

const EVERY = 2000, IDLE = 5000;  // ms between two looks: while something runs, and while nothing does
const SMOOTH = [[1, "none"], [5, "5 rows"], [20, "20 rows"], [100, "100 rows"], [500, "500 rows"]];
const byId = id => document.getElementById(id);
const pulse = byId("pulse");
let waiting = 0;

function tell(text, kind) {
  if (pulse.textContent !== text) pulse.textContent = text;
  pulse.className = kind;
}

function trouble(error) {
  tell(error instanceof NoAnswer ? "no answer: does triptych dashboard still run?" : `this cannot be shown: ${error.message}`.slice(0, 200), "bad");
}

async function look() {
  clearTimeout(waiting);
  try {
    const found = await ask("runs");
    state.runs = found.runs;
    settle();
    byId("empty").hidden = Boolean(state.runs.length);
    byId("empty").textContent = "There is no run in this folder yet. It appears here once one begins: triptych train cartpole";
    await changed();
    const running = state.runs.some(run => run.state === "running");
    tell(state.paused ? "paused" : running ? "live" : "nothing runs", state.paused ? "" : running ? "good" : "");
    if (!state.paused && !document.hidden) waiting = setTimeout(look, running ? EVERY : IDLE);
  } catch (error) {
    trouble(error);
    waiting = setTimeout(look, IDLE);
  }
}

async function changed() {
  drawList(onChange);
  arrange(choose);
  await Promise.all([drawFocus(), draw()]);
}
const onChange = () => { changed().catch(trouble); };

function choose(column) {
  state.column = column;
  remember();
  onChange();
  byId("curves").scrollIntoView({ block: "start" });
}

function move(select, by) {
  const places = select.options.length;
  select.selectedIndex = (select.selectedIndex + by + places) % places;
  select.dispatchEvent(new Event("change"));
}

function switchTheme() {
  setTheme(isDark() ? "light" : "dark");
  themed();
  onChange();
}

function themed() {
  byId("theme").textContent = isDark() ? "Light" : "Dark";
}

function pause() {
  state.paused = !state.paused;
  byId("pause").setAttribute("aria-pressed", state.paused);
  byId("pause").textContent = state.paused ? "Go on" : "Pause";
  look();
}

const KEYS = [
  ["j", "next run", () => step(1, onChange)],
  ["k", "run before", () => step(-1, onChange)],
  ["x", "this run in the figure, or not", () => { pick(state.focus); onChange(); }],
  ["o", "this run alone", () => { state.picked = []; pick(state.focus, true); onChange(); }],
  ["e", "every run of the list", () => { for (const run of shown().reverse()) pick(run.name, true); onChange(); }],
  ["/", "find a run", () => { byId("runs").open = true; byId("find").focus(); }],
  ["c", "next column (C: the one before)", () => move(byId("column"), 1)],
  ["a", "next horizontal axis", () => move(byId("axis"), 1)],
  ["s", "more smoothing (S: less)", () => move(byId("smooth"), 1)],
  ["l", "logarithmic or not", () => byId("log").click()],
  ["m", "mean of seeds, or each", () => byId("means").click()],
  ["t", "dark or light", switchTheme],
  ["p", "pause or go on", pause],
  ["?", "these keys", () => byId("help").showModal()],
];
const BACK = { C: () => move(byId("column"), -1), S: () => move(byId("smooth"), -1) };

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (event.target.matches("input:not([type=checkbox]), select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = BACK[event.key] || KEYS.find(([key]) => key === event.key)?.[2];
  if (!act) return;
  event.preventDefault();
  act();
});

function listen() {
  const set = (id, name, read) => byId(id).addEventListener("change", () => { state[name] = read(byId(id)); remember(); onChange(); });
  set("column", "column", box => box.value);
  set("axis", "axis", box => box.value);
  set("smooth", "smooth", box => Number(box.value));
  set("log", "log", box => box.checked);
  set("means", "means", box => box.checked);
  byId("find").addEventListener("input", () => { state.filter = byId("find").value; drawList(onChange); });
  byId("theme").addEventListener("click", switchTheme);
  byId("pause").addEventListener("click", pause);
  byId("keys").addEventListener("click", () => byId("help").showModal());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { themed(); onChange(); });
  addEventListener("resize", () => onChange());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
}

async function start() {
  state.about = await ask("about");
  recall();
  byId("root").textContent = state.about.root;
  document.title = `${state.about.root.split("/").pop()} - Triptych dashboard`;
  byId("axis").replaceChildren(...state.about.axes.map(([name, title]) => new Option(title, name)));
  byId("smooth").replaceChildren(...SMOOTH.map(([rows, title]) => new Option(title, rows)));
  if (!SMOOTH.some(([rows]) => rows === state.smooth)) byId("smooth").add(new Option(`${state.smooth} rows`, state.smooth));
  byId("axis").value = state.axis;
  byId("smooth").value = state.smooth;
  byId("log").checked = state.log;
  byId("help-rows").replaceChildren(...KEYS.map(([key, told]) => element("tr", {}, element("th", { scope: "row" }, element("kbd", {}, key)), element("td", {}, told))));
  if (innerWidth < 900) byId("runs").open = false;
  themed();
  listen();
  await look();
}

start().catch(error => tell(`the page cannot start: ${error.message}`, "bad"));
