// The figures of a study: scores with their intervals, curves, and beside them what others have published.
const study = JSON.parse(document.getElementById("data").textContent);
function symlog(value) { return Math.sign(value) * Math.log10(1 + Math.abs(value)); }
function drawPublished(found) {
  const unit = document.getElementById("unit").value, number = value => value.toLocaleString("en", { maximumFractionDigits: 1 });
  const rows = [...found.published].sort((a, b) => a[unit] - b[unit]);
  const told = row => `${row.game}: feed-forward ${number(row.scores[0])} (${number(row.shares[0])} % of human), LSTM ${number(row.scores[1])} (${number(row.shares[1])} %)`;
  const trace = (given, more) => ({ x: given.map(row => symlog(row[unit])), y: given.map(row => row.game), text: given.map(told), hovertemplate: "%{text}<extra></extra>", ...more });
  const traces = [trace(rows, { type: "bar", orientation: "h", textposition: "none", marker: { color: rows.map(row => row[unit] < 0 ? "#d9560b" : "#1f77d0") } })];
  if (found.own.length) traces.push(trace(found.own, { type: "scatter", mode: "markers", marker: { symbol: "diamond", size: 11, color: css("--ink"), line: { width: 1.5, color: css("--card") } } }));
  const powers = [1, 10, 100, 1000, 10000, 100000].filter(power => rows.some(row => Math.abs(row[unit]) > power / 3));
  const ticks = [...powers.map(power => -power).reverse(), 0, ...powers];
  const shape = layout(unit === "raw" ? "points" : "percentage points of a human's score", "");
  const height = 120 + (printing ? 14 : 19) * rows.length;  // all games fit a sheet
  document.getElementById("published").style.height = `${height}px`;
  if (printing) shape.height = height;
  shape.xaxis = { ...shape.xaxis, tickvals: ticks.map(symlog), ticktext: ticks.map(tick => tick.toLocaleString("en")), zeroline: true, zerolinecolor: css("--soft") };
  shape.yaxis = { ...shape.yaxis, categoryorder: "array", categoryarray: rows.map(row => row.game), dtick: 1, tickfont: { size: printing ? 9 : 11 } };
  Plotly.react("published", traces, { ...shape, bargap: 0.25, margin: { l: 130, r: 14, t: 20, b: 44 } }, config);
}
function drawScores(task, index) {
  const bars = [...task.bars].reverse();
  const traces = bars.map(bar => ({ type: "scatter", mode: "markers", x: [bar.iqm], y: [plain(bar.name)], name: plain(bar.name), marker: { color: bar.colour, size: 11 },
    error_x: { type: "data", symmetric: false, array: [bar.high - bar.iqm], arrayminus: [bar.iqm - bar.low], color: bar.colour, thickness: 2 } }));
  traces.push({ type: "scatter", mode: "markers", hoverinfo: "x", x: bars.flatMap(bar => bar.scores), y: bars.flatMap(bar => bar.scores.map(() => plain(bar.name))),
    marker: { color: css("--soft"), size: 5, opacity: 0.6 } });
  Plotly.react(`scores-${index}`, traces, layout("score: interquartile mean and interval, and each seed", ""), config);
}
function drawCurves(task, index) {
  const curves = task.curves.flatMap(c => withBand(c.x, c, c.colour, c.name));
  const named = curves.map(curve => ({ ...curve, showlegend: curve.hoverinfo !== "skip" }));
  const lines = (task.lines ?? []).map(line => ({ type: "scatter", mode: "lines", hoverinfo: "name+y", name: line.name, x: [0, Math.max(...task.curves.flatMap(c => c.x))], y: [line.y, line.y],
    line: { color: css("--soft"), width: 1.2, dash: line.name === "threshold" ? "dash" : "dot" } }));
  Plotly.react(`curves-${index}`, [...named, ...lines], { ...layout("agent steps", "running reward"), showlegend: true, legend: { orientation: "h", y: -0.2 } }, config);
}
const redraw = start([
  ...(study.published ? [() => drawPublished(study.published)] : []),
  ...study.tasks.flatMap((task, index) => [() => drawScores(task, index), ...(task.curves.length ? [() => drawCurves(task, index)] : [])]),
]);
document.getElementById("unit")?.addEventListener("change", redraw);
