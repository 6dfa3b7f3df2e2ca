"use strict";
// What every page with figures needs: the chart library, how a figure looks, and how it is printed.
const root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const css = name => getComputedStyle(root).getPropertyValue(name).trim();
let printing = false;
const narrow = () => !printing && innerWidth < 760;
// A sheet of A4 between its margins, in pixels: a figure that has it to itself, and one of two side by side.
const SHEET = { tall: [690, 300], small: [336, 180] };
// Nothing leaves the page: Plotly would offer to upload a chart.
const config = { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "", modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const PLAIN = ",.10~r";  // a number without powers of ten and prefixes: 0.0004, 10,000

// Names come from files: Plotly reads a few tags in names, so none may reach it.
const plain = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

function layout(x, y, size = "tall") {
  const axis = text => ({ title: { text }, gridcolor: css("--line"), zerolinecolor: css("--line"), automargin: true,
    exponentformat: "none", tickformat: PLAIN, hoverformat: ",.6~r" });
  const shape = {
    margin: narrow() || size === "small" ? { l: 44, r: 10, t: 10, b: 30 } : { l: 58, r: 14, t: 14, b: 44 },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: css("--soft"), activecolor: css("--ink") },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "closest", hoverlabel: { namelength: -1 },
    font: { color: css("--ink"), family: "system-ui, sans-serif", size: printing ? 10 : 12 }, xaxis: axis(narrow() ? "" : x), yaxis: axis(y),
  };
  if (printing) [shape.width, shape.height] = SHEET[size];
  return shape;
}

// The curve of a mean with its interval behind it.
function withBand(x, curve, colour, name, more = {}) {
  return [
    { type: "scatter", mode: "lines", x: [...x, ...[...x].reverse()], y: [...curve.high, ...[...curve.low].reverse()], fill: "toself",
      fillcolor: colour + "33", line: { width: 0 }, hoverinfo: "skip" },
    { type: "scatter", mode: "lines", x, y: curve.mean, name: plain(name), line: { color: colour, width: 2.6, ...more } },
  ];
}

// The library lies in the page compressed: plain it is three times as large.
async function unpack() {
  const packed = atob(document.getElementById("plotly").textContent.trim());
  const stream = new Blob([Uint8Array.from(packed, letter => letter.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream("gzip"));
  const code = document.createElement("script");
  code.textContent = await new Response(stream).text();
  document.head.append(code);
}

// Draws figures one after the other, so that a page of many opens at once; all of them at once where it is printed.
function start(figures) {
  let waiting = [];
  const next = () => {
    if (!waiting.length) return;
    waiting.shift()();
    setTimeout(next);
  };
  const redraw = () => {
    const idle = !waiting.length;
    waiting = [...figures];
    if (idle) next();
  };
  const print = on => {
    printing = on;
    if (on) root.dataset.theme = "light"; else delete root.dataset.theme;
    for (const box of document.querySelectorAll(on ? "details:not([open])" : "details[data-closed]")) {
      box.open = on;
      if (on) box.dataset.closed = ""; else delete box.dataset.closed;
    }
    waiting = [];
    figures.forEach(draw => draw());
  };
  unpack().then(() => {
    if ("paper" in root.dataset) print(true);  // a page that is only printed
    else redraw();
    dark.addEventListener("change", redraw);
    addEventListener("beforeprint", () => print(true));
    addEventListener("afterprint", () => print(false));
  }, error => {
    for (const figure of document.querySelectorAll(".figure")) figure.textContent = `This browser cannot draw the figures (${error.message}); allowed: one of 2023 or newer.`;
  });
  return redraw;
}
