// The figures of a report to hand in, drawn from the same numbers as those in its Markdown.
function drawn(figure, index) {
  const box = `figure-${index}`;
  return () => {
    const made = figure.points.length ? points(figure) : lines(figure);
    Plotly.react(box, made.traces, made.layout, { ...config, displayModeBar: figure.points.length ? false : "hover" });
  };
}

// Lines across a figure, each with its name: upright, or level.
function across(figure, shape, upright) {
  shape.shapes = figure.marks.map(([, value]) => ({ type: "line", line: { color: css("--soft"), width: 1, dash: "dot" },
    ...(upright ? { x0: value, x1: value, y0: 0, y1: 1, yref: "paper" } : { y0: value, y1: value, x0: 0, x1: 1, xref: "paper" }) }));
  shape.annotations = figure.marks.map(([name, value]) => ({ text: plain(name), showarrow: false, font: { color: css("--soft"), size: 11 },
    ...(upright ? { x: value, y: 1, yref: "paper", xanchor: "left", yanchor: "bottom" } : { y: value, x: 1, xref: "paper", xanchor: "right", yanchor: "bottom" }) }));
}

function lines(figure) {
  const traces = figure.lines.flatMap(line => {
    const more = { dash: line.dash, shape: figure.steps ? "hv" : "linear", width: 2.2 };
    if (line.low) return withBand(line.x, { mean: line.y, low: line.low, high: line.high }, line.colour, line.label, more);
    return [{ type: "scatter", mode: "lines", x: line.x, y: line.y, name: plain(line.label), line: { color: line.colour, ...more } }];
  });
  const shape = layout(figure.x, figure.y);
  if (printing) shape.height = 230;
  if (figure.limits) shape.yaxis.range = [figure.limits[0] - 0.02, figure.limits[1] + 0.02];
  across(figure, shape, figure.steps);
  if (figure.steps && figure.marks.length) shape.margin.t = 24;
  return { traces, layout: shape };
}

// Numbers below each other: what each is the mean of, its interval, and the number itself.
function points(figure) {
  const rows = figure.points.map((_, row) => row);
  const traces = figure.points.flatMap((point, row) => [
    { type: "scatter", mode: "markers", x: point.each, y: point.each.map(() => row), marker: { color: point.colour, size: 7, opacity: 0.4 }, hovertemplate: "%{x}<extra></extra>" },
    ...(point.low === null ? [] : [{ type: "scatter", mode: "lines", x: [point.low, point.high], y: [row, row], line: { color: point.colour, width: 4 }, opacity: 0.75, hoverinfo: "skip" }]),
    { type: "scatter", mode: "markers", x: [point.value], y: [row], name: plain(point.label), marker: { color: point.colour, size: 11, symbol: "diamond", line: { color: css("--card"), width: 1.5 } } },
  ]);
  const shape = layout(figure.x, "");
  shape.yaxis = { ...shape.yaxis, tickvals: rows, ticktext: figure.points.map(point => plain(wrapped(point.label)).replaceAll("\n", "<br>")), range: [rows.length - 0.4, -0.6], showgrid: false, zeroline: false };
  shape.xaxis.title = { text: figure.x };
  shape.margin = { l: 60, r: 16, t: figure.marks.length ? 26 : 10, b: 44 };
  if (printing) shape.height = 70 + 30 * rows.length;
  if (figure.limits) shape.xaxis.range = [figure.limits[0] - 0.03, figure.limits[1] + 0.03];
  across(figure, shape, true);
  return { traces, layout: shape };
}

// A label in lines of about thirty letters, so that the numbers keep their room on a narrow screen.
function wrapped(label) {
  const most = narrow() ? 16 : 34, lines = [""];
  for (const word of label.split(" ")) {
    if (lines.at(-1).length + word.length > most && lines.at(-1)) lines.push(word);
    else lines[lines.length - 1] = `${lines.at(-1)} ${word}`.trim();
  }
  return lines.join("\n");
}

const charts = allCharts();
const figures = JSON.parse(document.getElementById("figures").textContent).map(drawn);
const redraw = start([...charts.flatMap(one => one.figures), ...figures]);
charts.forEach(one => one.listen(redraw));
