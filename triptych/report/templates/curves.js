// The figures of one game: its section, and the one of its panels.
function chart(data, index) {
  const learning = document.getElementById(`learning-${index}`);
  const recorded = document.getElementById(`recorded-${index}`);
  const select = (learning || recorded).querySelector("select");
  const seeds = (learning || recorded).querySelector("input");
  const titles = Object.fromEntries(data.axes);
  for (const [axis, title] of data.axes) select.add(new Option(title, axis));
  const hidden = new Set();  // series that the reader has switched off
  const panelId = column => `panel-${index}-${column.name}`;
  const main = data.rewards[0];

  // A curve of one column: from the part of the log that has both the column and the axis. None without that axis:
  // over another one it would lie.
  function curve(run, column) {
    const axis = select.value;
    const part = run.parts.find(p => column in p && axis in p);
    if (!part) return null;
    const x = [], y = [];
    part[column].forEach((value, i) => {
      if (value !== null && part[axis][i] !== null) { x.push(part[axis][i]); y.push(value); }
    });
    return x.length ? { x, y } : null;
  }

  // The band that a log of others has around a column.
  function band(run, column) {
    const [low, high] = [curve(run, `${column}__low`), curve(run, `${column}__high`)];
    return low && high ? [{ type: "scatter", mode: "lines", x: [...low.x, ...high.x.reverse()], y: [...low.y, ...high.y.reverse()], fill: "toself",
      fillcolor: run.colour + "22", line: { width: 0 }, hoverinfo: "skip" }] : [];
  }

  function trace(run, column, line = {}) {
    const found = curve(run, column);
    if (!found) return [];
    const marks = found.x.length < 30 || column === "evaluation_mean";
    return [...band(run, column), { type: "scatter", mode: marks ? "lines+markers" : "lines", name: plain(run.label), ...found,
      line: { color: run.colour, dash: run.dash, width: data.series[run.series].width, ...line }, marker: { size: 5, color: run.colour } }];
  }

  // The mean of a group of seeds, where all of them have the column over this axis.
  function mean(group, column) {
    const axis = select.value;
    const found = column === "running_reward" ? group.curves[axis] : group.columns[column];
    const x = found && (column === "running_reward" ? found.x : found.x[axis]);
    return x ? withBand(x, found, group.colour, group.name, { dash: group.dash }) : null;
  }

  // `lead`: of each run the best reward that it has, where it has no `column`.
  function traces(column, lead = false) {
    const found = [];
    const grouped = new Set();
    for (const group of data.groups) {
      const lines = hidden.has(group.series) ? null : mean(group, column);
      if (!lines) continue;
      grouped.add(group.series);
      found.push(...lines);
    }
    for (const run of data.runs) {
      if (hidden.has(run.series) || (grouped.has(run.series) && !seeds.checked)) continue;
      found.push(...trace(run, lead ? run.lead : column, grouped.has(run.series) ? { width: 0.9 } : {}));
    }
    return found;
  }

  function rewards() {
    const found = traces(main, true);
    const figure = layout(titles[select.value], "reward");
    if (data.random) {
      const [low, high] = data.random.band;
      figure.shapes = [{ type: "rect", xref: "paper", x0: 0, x1: 1, y0: low, y1: high, fillcolor: css("--band"), line: { width: 0 }, layer: "below" }];
      figure.annotations = [{ xref: "paper", x: 1, y: high, text: "random play", showarrow: false, xanchor: "right", yanchor: "bottom", font: { color: css("--soft"), size: 11 } }];
    }
    Plotly.react(`rewards-${index}`, found, figure, config);
  }

  // A panel without a curve over the chosen axis is not there.
  function panel(column) {
    const found = traces(column.name);
    const box = document.getElementById(panelId(column));
    box.parentElement.hidden = !found.length && !hidden.size;
    if (!box.parentElement.hidden) Plotly.react(box, found, layout("", "", "small"), config);
  }

  function addPanel(column) {
    const box = document.createElement("div"), title = document.createElement("h3"), figure = document.createElement("div");
    box.className = "panel";
    title.textContent = column.title;
    figure.className = "figure small";
    figure.id = panelId(column);
    figure.setAttribute("role", "img");
    figure.setAttribute("aria-label", column.title);
    box.append(title, figure);
    recorded.querySelector(".panels").append(box);
  }

  function swatch(one) {
    const dashes = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4" };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS(svg.namespaceURI, "line");
    for (const [name, value] of [["width", 28], ["height", 8], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
    for (const [name, value] of [["x1", 0], ["x2", 28], ["y1", 4], ["y2", 4], ["stroke", one.colour], ["stroke-width", 3], ["stroke-dasharray", dashes[one.dash]]]) line.setAttribute(name, value);
    svg.append(line);
    return svg;
  }

  // One legend for all figures of the game, beside each section's heading.
  function legend(section, redraw) {
    const box = section.querySelector(".legend");
    data.series.forEach((one, number) => {
      const key = document.createElement("button");
      key.type = "button";
      key.className = "key";
      key.dataset.series = number;
      key.append(swatch(one), one.label);
      key.addEventListener("click", () => { hidden.has(number) ? hidden.delete(number) : hidden.add(number); pressed(); redraw(); });
      key.addEventListener("dblclick", () => { data.series.forEach((_, other) => other === number ? hidden.delete(other) : hidden.add(other)); pressed(); redraw(); });
      box.append(key);
    });
  }

  function pressed() {
    for (const key of document.querySelectorAll(`#learning-${index} .key, #recorded-${index} .key`)) key.setAttribute("aria-pressed", !hidden.has(Number(key.dataset.series)));
  }

  data.columns.forEach(addPanel);
  const figures = [...(main ? [rewards] : []), ...data.columns.map(column => () => panel(column))];
  return { figures, listen: redraw => {
    for (const section of [learning, recorded]) if (section) legend(section, redraw);
    pressed();
    for (const control of [select, seeds]) control.addEventListener("change", redraw);
  } };
}

// The figures of every game, and what their controls do once they can be drawn.
function allCharts() {
  return JSON.parse(document.getElementById("data").textContent).map((data, index) => data.columns.length ? chart(data, index) : null).filter(Boolean);
}
