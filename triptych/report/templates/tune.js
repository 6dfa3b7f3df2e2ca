// The figures of a search over settings.
const search = JSON.parse(document.getElementById("data").textContent);
const MAIN = "#1f77d0", OTHER = "#d9560b";
const number = value => Number(Number(value).toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3, useGrouping: true });
const scores = search.trials.map(trial => trial.score), lowest = Math.min(...scores), highest = Math.max(...scores);
const strength = score => highest > lowest ? (score - lowest) / (highest - lowest) : 1;
const told = trial => [`trial ${trial.number}: ${number(trial.score)}, ${trial.outcome}`, ...search.settings.map(setting => {
  const value = trial.values[setting.path];
  return `${plain(setting.path)} ${setting.words.length ? plain(value) : number(value)}`;
})].join("<br>");
const symbol = trial => trial.number === search.best ? "star" : trial.number === search.own ? "diamond" : trial.outcome === "finished" ? "circle" : "circle-open";
const markers = trials => ({ type: "scatter", mode: "markers", text: trials.map(told), hovertemplate: "%{text}<extra></extra>", y: trials.map(trial => trial.score),
  marker: { symbol: trials.map(symbol), size: trials.map(trial => ["star", "diamond"].includes(symbol(trial)) ? 14 : 9),
    color: trials.map(trial => trial.number === search.best || trial.number === search.own ? OTHER : MAIN), opacity: 0.85, line: { width: 1.5 } } });

// Steps of ten, and of two and five between them where there are few.
function ticksOf(low, high, log) {
  const found = [];
  if (log) {
    const wide = high / low > 50;
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high) + 1e-9; power++)
      for (const digit of wide ? [1] : [1, 2, 5]) found.push(digit * 10 ** power);
  } else {
    const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map(digit => digit * power).find(size => size >= raw);
    for (let tick = Math.ceil(low / step) * step; tick <= high + step / 1e6; tick += step) found.push(tick);
  }
  return found.filter(tick => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)).map(tick => Number(tick.toPrecision(6)));
}
function axisOf(setting) {
  if (setting.words.length) return { type: "category", categoryorder: "array", categoryarray: setting.words };
  const ticks = ticksOf(setting.low, setting.high, setting.log);
  return { type: setting.log ? "log" : "linear", tickvals: ticks, ticktext: ticks.map(number) };
}
function drawSetting(setting, index) {
  const shape = layout("", "score", "small");
  shape.margin = { ...shape.margin, b: 40 };
  shape.xaxis = { ...shape.xaxis, ...axisOf(setting), tickformat: undefined };
  Plotly.react(`setting-${index}`, [{ ...markers(search.trials), x: search.trials.map(trial => trial.values[setting.path]) }], shape, config);
}
// 0 to 1: where a value lies on its axis.
function place(setting, value) {
  if (setting.words.length) return setting.words.indexOf(value) / Math.max(1, setting.words.length - 1);
  const to = setting.log ? Math.log : Number;
  return (to(value) - to(setting.low)) / (to(setting.high) - to(setting.low));
}
function drawParallel() {
  const axes = [...search.settings, { path: "score", words: [], low: lowest, high: highest > lowest ? highest : lowest + 1, log: false }];
  const values = trial => [...search.settings.map(setting => trial.values[setting.path]), trial.score];
  const ordered = [...search.trials].sort((a, b) => a.score - b.score);
  const lines = ordered.map(trial => ({ type: "scatter", mode: "lines", x: axes.map((_, index) => index), y: axes.map((axis, index) => place(axis, values(trial)[index])),
    text: axes.map(() => told(trial)), hovertemplate: "%{text}<extra></extra>", opacity: 0.15 + 0.85 * strength(trial.score) ** 2,
    line: { color: trial.number === search.best ? OTHER : MAIN, width: trial.number === search.best ? 3 : 1.5, dash: trial.outcome === "finished" ? "solid" : "dot", shape: "linear" } }));
  const shape = layout("", "");
  const notes = axes.flatMap((axis, index) => (axis.words.length ? axis.words : ticksOf(axis.low, axis.high, axis.log)).map(tick => ({
    x: index, y: place(axis, tick), xanchor: "left", xshift: 5, showarrow: false, text: axis.words.length ? plain(tick) : number(tick),
    font: { size: 10, color: css("--soft") }, bgcolor: css("--card"), opacity: 0.85, borderpad: 0 })));
  const names = axes.map(axis => plain(axis.path.split(".").slice(narrow() ? -1 : -2).join(".")));
  shape.xaxis = { ...shape.xaxis, tickvals: axes.map((_, index) => index), ticktext: names, range: [-0.15, axes.length - 0.45], gridcolor: css("--soft"), zeroline: false, tickformat: undefined, tickangle: axes.length > 5 && narrow() ? 60 : 0 };
  shape.yaxis = { ...shape.yaxis, visible: false, range: [-0.05, 1.05] };
  Plotly.react("parallel", lines, { ...shape, annotations: notes }, config);
}
function drawFresh() {
  const rows = [...search.fresh].reverse(), shape = layout("score", "");
  const means = rows.map((row, index) => ({ type: "scatter", mode: "markers", x: [row.mean], y: [plain(row.name)], hovertemplate: "%{x:,.1f}<extra></extra>",
    marker: { size: 13, color: index === 0 && rows.length > 2 ? OTHER : MAIN, symbol: row.scores.length ? "circle" : "star" },
    error_x: row.low === null ? undefined : { type: "data", symmetric: false, array: [row.high - row.mean], arrayminus: [row.mean - row.low], thickness: 2 } }));
  const seeds = { type: "scatter", mode: "markers", x: rows.flatMap(row => row.scores), y: rows.flatMap(row => row.scores.map(() => plain(row.name))), hovertemplate: "%{x:,.1f}<extra></extra>",
    marker: { color: css("--soft"), size: 6, opacity: 0.7 } };
  shape.yaxis = { ...shape.yaxis, type: "category", categoryorder: "array", categoryarray: rows.map(row => plain(row.name)), tickformat: undefined };
  Plotly.react("fresh", [...means, seeds], shape, config);
}
function drawImportances() {
  const rows = Object.entries(search.importances).sort((a, b) => a[1] - b[1]), shape = layout("share", "");
  shape.yaxis = { ...shape.yaxis, type: "category", tickformat: undefined };
  shape.xaxis = { ...shape.xaxis, range: [0, 1.02 * Math.max(...rows.map(row => row[1]))] };
  Plotly.react("importances", [{ type: "bar", orientation: "h", x: rows.map(row => row[1]), y: rows.map(row => plain(row[0])), hovertemplate: "%{x:.0%}<extra></extra>", marker: { color: MAIN } }], { ...shape, bargap: 0.35 }, config);
}
function drawCourse() {
  let best = -Infinity;
  const finished = search.trials.filter(trial => trial.outcome === "finished");
  const line = { type: "scatter", mode: "lines", x: finished.map(trial => trial.number), y: finished.map(trial => best = Math.max(best, trial.score)), line: { color: css("--soft"), shape: "hv", width: 2 }, hoverinfo: "skip" };
  Plotly.react("course", [line, { ...markers(search.trials), x: search.trials.map(trial => trial.number) }], layout("trial", "score"), config);
}
for (const [index, setting] of search.settings.entries()) {
  const panel = document.createElement("div"), title = document.createElement("h3"), figure = document.createElement("div");
  panel.className = "panel";
  title.textContent = setting.path;
  figure.className = "figure small";
  figure.id = `setting-${index}`;
  panel.append(title, figure);
  document.getElementById("panels").append(panel);
}
start([
  drawFresh, ...search.settings.map((setting, index) => () => drawSetting(setting, index)), drawParallel,
  ...(Object.keys(search.importances).length ? [drawImportances] : []), drawCourse,
]);
