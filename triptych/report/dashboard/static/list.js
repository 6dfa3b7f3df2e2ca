// The list of runs: which there are, how each stands, which lie in the figure.
import { state, pick, paint, remember } from "./store.js";
import { about, bar, count, element, score, span, swatch } from "./words.js";

const MOST_SHOWN = 300;
const box = document.getElementById("list");

export function shown() {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const text = run => `${run.name} ${about(run)} ${run.framework} ${run.state}`.toLowerCase();
  return state.runs.filter(run => words.every(word => text(run).includes(word))).slice(0, MOST_SHOWN);
}

function beside(run) {
  if (run.state === "running") return run.ends ? `${span(run.ends - Date.now() / 1000)} left` : "running";
  return run.state;
}

function row(run, changed) {
  const on = state.picked.includes(run.name);
  const share = run.total ? run.done / run.total : null;
  const line = [run.reward === null ? null : `reward ${score(run.reward)}`, `${count(run.steps)} steps`, run.state === "running" && run.speed ? `${count(run.speed)}/s` : null];
  const box = element("input", { type: "checkbox", "aria-label": `${run.name} in the figure`, onchange: () => { pick(run.name); changed(); } });
  box.checked = on;
  const tell = element("button", { type: "button", class: "run", "aria-current": run.name === state.focus ? "true" : null, onclick: () => focus(run.name, changed) },
    element("span", { class: "name" }, on ? swatch(paint(run.name)) : null, run.name),
    element("span", { class: `state ${run.state}` }, beside(run)),
    element("span", { class: "about" }, about(run)),
    element("span", { class: "numbers" }, line.filter(Boolean).join(" \u00b7 ")),
    share === null || run.state === "finished" ? null : bar(share, "done"));
  return element("li", { "data-run": run.name }, box, tell);
}

export function focus(name, changed) {
  state.focus = name;
  if (!state.picked.includes(name)) pick(name, true);
  state.auto = false;
  remember();
  changed();
}

export function drawList(changed) {
  const at = document.activeElement?.closest("#list li")?.dataset.run, inBox = document.activeElement?.type === "checkbox";
  const runs = shown();
  box.replaceChildren(...runs.map(run => row(run, changed)));
  const again = at && [...box.children].find(one => one.dataset.run === at);
  if (again) again.querySelector(inBox ? "input" : "button").focus({ preventScroll: true });
  const running = state.runs.filter(run => run.state === "running").length;
  document.getElementById("counted").textContent = `${count(state.runs.length)}, ${count(running)} running, ${count(state.picked.length)} drawn`;
  const more = document.getElementById("more");
  more.hidden = runs.length < MOST_SHOWN;
  more.textContent = `The first ${MOST_SHOWN} are shown; Find narrows them.`;
}

// The next run of the list from the one that is told, `by` places on.
export function step(by, changed) {
  const names = shown().map(run => run.name);
  if (!names.length) return;
  const next = names[Math.min(names.length - 1, Math.max(0, names.indexOf(state.focus) + by))];
  state.focus = next;
  remember();
  changed();
  [...box.children].find(one => one.dataset.run === next)?.scrollIntoView({ block: "nearest" });
}
