// What the page knows: the runs, which are picked, what is drawn. It stands in the address too, so that it can be kept and sent.

export const MOST_PICKED = 60;
const AT_FIRST = 6;  // runs that are picked where nobody has

export const state = {
  about: null,
  runs: [],  // as /api/runs tells them
  picked: [],  // names
  focus: "",  // the run that is told in detail
  auto: true,  // nobody has picked: the running ones, or else the newest
  column: "", axis: "steps", smooth: 1, log: false, means: null, filter: "", paused: false,
};
const paintedRuns = new Map(), paintedGroups = new Map();  // run -> its colour and dash, for as long as the page is open

export const runOf = name => state.runs.find(run => run.name === name);

export class NoAnswer extends Error {}  // the server is gone; another error is one of its answers, or ours

export async function ask(path, parameters = []) {
  const answer = await fetch(`api/${path}?${new URLSearchParams(parameters)}`).catch(() => { throw new NoAnswer(); });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// A framework's first curve has its colour, the others what is left; a run keeps its own while others come and go.
// A group of seeds is painted as such, by its first run.
export const paintGroup = (first, firsts) => paint(first, paintedGroups, firsts);
export function paint(name, painted = paintedRuns, alive = state.picked) {
  if (painted.has(name)) return painted.get(name);
  const { colours, of_frameworks, dashes } = state.about;
  const taken = new Set([...painted].filter(([other]) => alive.includes(other)).map(([, paint]) => paint.colour + paint.dash));
  const own = of_frameworks[runOf(name)?.framework];
  const frameworks = Object.values(of_frameworks);
  const order = [own, ...colours.filter(colour => !frameworks.includes(colour)), ...frameworks.filter(colour => colour !== own)].filter(Boolean);
  for (const dash of dashes) for (const colour of order) {
    if (!taken.has(colour + dash)) {
      painted.set(name, { colour, dash });
      return painted.get(name);
    }
  }
  return { colour: order[0], dash: dashes[0] };
}

export function pick(name, on = !state.picked.includes(name)) {
  state.auto = false;
  state.picked = state.picked.filter(other => other !== name);
  if (on) state.picked.push(name);
  state.picked = state.picked.slice(-MOST_PICKED);
  remember();
}

// After the runs were asked for: what is gone is picked no more, and where nobody has picked, what goes on is.
export function settle() {
  const names = new Set(state.runs.map(run => run.name));
  if (state.auto) {
    const running = state.runs.filter(run => run.state === "running");
    state.picked = (running.length ? running : state.runs).slice(0, AT_FIRST).map(run => run.name);
  } else state.picked = state.picked.filter(name => names.has(name));
  if (!names.has(state.focus) || state.auto && !state.picked.includes(state.focus)) state.focus = state.picked[0] || state.runs[0]?.name || "";
}

// The columns of the picked runs: those that the report knows in its order, then the others.
export function columns() {
  const there = new Set(state.picked.flatMap(name => runOf(name)?.columns || []));
  if (there.has("steps") && there.has("seconds")) there.add("steps_per_second");
  const hidden = new Set(["steps", "frames", "episode", "updates", "seconds", "iteration", "evaluation_low", "evaluation_high", "evaluation_games"]);
  const known = Object.keys(state.about.titles);
  return [...known.filter(name => there.has(name)), ...[...there].filter(name => !known.includes(name) && !hidden.has(name)).sort()];
}

// What is drawn: groups of seeds as their means, by their first run, and the other runs. In a crowd that is so unless somebody
// wants each seed, as in the report.
const CROWD = 6;
export function drawnRuns() {
  const groups = new Map();
  for (const name of state.picked) {
    const group = runOf(name)?.group || name;
    groups.set(group, [...(groups.get(group) || []), name]);
  }
  // The same seed twice is no second seed: those stand alone.
  const differ = members => members.length > 1 && new Set(members.map(name => runOf(name)?.seed)).size === members.length;
  const seeds = [...groups.values()].filter(differ);
  const on = state.means ?? state.picked.length > CROWD;
  if (!on || !seeds.length) return { on, possible: seeds.length > 0, groups: [], single: state.picked };
  return { on, possible: true, groups: seeds, single: [...groups.values()].filter(members => !differ(members)).flat() };
}

export const titleOf = column => state.about.titles[column] || column.replaceAll("_", " ");
export const mainColumn = () => {
  const there = columns();
  return there.includes(state.column) ? state.column : state.about.lead.find(name => there.includes(name)) || there[0] || "";
};

export function remember() {
  const kept = [];
  if (!state.auto) kept.push(...state.picked.map(name => ["run", name]));
  if (state.focus && !state.auto) kept.push(["focus", state.focus]);
  if (state.column) kept.push(["column", state.column]);
  if (state.axis !== "steps") kept.push(["axis", state.axis]);
  if (state.smooth > 1) kept.push(["smooth", state.smooth]);
  if (state.log) kept.push(["log", 1]);
  if (state.means !== null) kept.push(["means", Number(state.means)]);
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
}

export function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  state.picked = kept.getAll("run").slice(0, MOST_PICKED);
  state.auto = !state.picked.length;
  state.focus = kept.get("focus") || "";
  state.column = kept.get("column") || "";
  state.axis = state.about.axes.some(([name]) => name === kept.get("axis")) ? kept.get("axis") : "steps";
  state.smooth = Math.max(1, Number(kept.get("smooth")) || 1);
  state.log = kept.has("log");
  state.means = kept.has("means") ? kept.get("means") === "1" : null;
}
