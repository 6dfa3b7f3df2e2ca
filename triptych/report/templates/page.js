"use strict";
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = () => innerWidth < 760;
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// Nothing leaves the page: Plotly would offer to upload a chart.
const config = { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", modeBarButtonsToRemove: ["lasso2d", "select2d"] };

// Names come from files: Plotly reads a few tags in legends, so none may reach it.
const plain = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

// The figures of one game: its section, and the one of its panels.
function chart(data, index) {
  const section = document.getElementsByClassName("learning")[index];
  const panels = document.getElementsByClassName("panels")[index];
  const select = section.querySelector("select");
  const titles = Object.fromEntries(data.axes);
  for (const [axis, title] of data.axes) select.add(new Option(title, axis));
  const panelId = column => `panel-${index}-${column.name}`;

  function layout(title) {
    return {
      margin: narrow() ? { l: 44, r: 8, t: 26, b: 30 } : { l: 58, r: 14, t: 26, b: 44 },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--ink") },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: css("--ink"), family: "system-ui, sans-serif", size: 12 },
      hovermode: "closest",
      showlegend: true,
      legend: narrow() || data.runs.length > 6 ? { orientation: "h", y: narrow() ? -0.16 : -0.24 } : { orientation: "v" },
      xaxis: { title: { text: narrow() ? "" : titles[select.value] }, gridcolor: css("--line"), zerolinecolor: css("--line") },
      yaxis: { title: { text: title }, gridcolor: css("--line"), zerolinecolor: css("--line") },
    };
  }

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
    return { x, y };
  }

  function trace(run, column, more) {
    const found = curve(run, column);
    if (!found) return [];
    const marks = found.x.length < 30 || column === "evaluation_mean";
    return [{ type: "scattergl" in Plotly ? "scattergl" : "scatter", mode: marks ? "lines+markers" : "lines", name: plain(run.name),
      ...found, line: { color: run.colour, dash: run.dash, width: 1.8 }, marker: { size: 5 }, ...more }];
  }

  function rewards() {
    const traces = [];
    const grouped = new Set();
    for (const group of data.groups) {
      const c = group.curves[select.value];
      if (!c) continue;
      grouped.add(group.framework);
      traces.push({ type: "scatter", mode: "lines", x: [...c.x, ...[...c.x].reverse()], y: [...c.high, ...[...c.low].reverse()],
        fill: "toself", fillcolor: group.colour + "33", line: { width: 0 }, hoverinfo: "skip", legendgroup: group.name, showlegend: false });
      traces.push({ type: "scatter", mode: "lines", x: c.x, y: c.mean, name: plain(group.name), legendgroup: group.name,
        line: { color: group.colour, width: 3.2 } });
    }
    for (const run of data.runs) {
      const faint = grouped.has(run.framework) ? { opacity: 0.45, line: { color: run.colour, width: 1, dash: run.dash } } : {};
      traces.push(...trace(run, "running_reward", faint));
      const maximum = trace(run, "max_reward", { name: plain(run.name) + ", max of 100", opacity: 0.7,
        line: { color: run.colour, width: 1, dash: "dot" }, visible: data.runs.length > 1 ? "legendonly" : true });
      traces.push(...maximum);
    }
    const figure = layout("reward");
    if (data.random) {
      const [low, high] = data.random.band;
      figure.shapes = [{ type: "rect", xref: "paper", x0: 0, x1: 1, y0: low, y1: high, fillcolor: css("--band"), line: { width: 0 }, layer: "below" }];
      figure.annotations = [{ xref: "paper", x: 1, y: high, text: "random play", showarrow: false, xanchor: "right", yanchor: "bottom", font: { color: css("--soft"), size: 11 } }];
    }
    Plotly.react(`rewards-${index}`, traces, figure, config);
  }

  function panel(column) {
    const traces = data.runs.flatMap(run => trace(run, column.name, {}));
    Plotly.react(panelId(column), traces, layout(""), config);
  }

  // Panels are drawn when they come into view: a page of many runs opens at once.
  const shown = new Set();
  const watcher = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (entry.isIntersecting && !shown.has(entry.target.id)) {
        shown.add(entry.target.id);
        panel(data.columns.find(column => panelId(column) === entry.target.id));
      }
    }
  }, { rootMargin: "300px" });
  for (const column of data.columns) {
    const box = document.createElement("div"), title = document.createElement("h3"), figure = document.createElement("div");
    box.className = "panel";
    title.textContent = column.title;
    figure.className = "figure";
    figure.id = panelId(column);
    box.append(title, figure);
    panels.append(box);
    watcher.observe(figure);
  }

  function draw() {
    if (data.rewards.length) rewards();
    else document.getElementById(`rewards-${index}`)?.remove();
    data.columns.filter(column => shown.has(panelId(column))).forEach(panel);
  }
  select.addEventListener("change", draw);
  dark.addEventListener("change", draw);
  draw();
}

JSON.parse(document.getElementById("data").textContent).forEach(chart);
