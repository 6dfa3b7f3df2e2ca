(async () => {
  const figure = FIGURE;
  const boxes = document.querySelectorAll(".NAME:not([data-drawn])");
  boxes.forEach(box => box.setAttribute("data-drawn", ""));
  // One library for all figures of a page: the page's own, or what a figure carries, unpacked once.
  const unpack = async () => {
    const packed = document.querySelector("script.triptych-plotly");
    if (!packed) return null;
    const bytes = Uint8Array.from(atob(packed.textContent.trim()), letter => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const code = document.createElement("script");
    code.textContent = await new Response(stream).text();
    document.head.append(code);
    return window.Plotly;
  };
  if (!window.Plotly && !document.querySelector("script.triptych-plotly")) {
    await new Promise(done => (document.readyState === "complete" ? done() : addEventListener("load", done)));
  }
  const Plotly = window.Plotly || (await (window.triptychPlotly = window.triptychPlotly || unpack()));
  if (!Plotly) {
    window.triptychPlotly = undefined;
    boxes.forEach(box => box.removeAttribute("data-drawn"));
    return;
  }
  const line = "rgba(128, 128, 128, 0.3)";
  const axis = more => ({ gridcolor: line, zerolinecolor: line, automargin: true, ...more });
  const given = figure.layout;
  const axes = Object.keys(given).filter(key => /^[xy]axis/.test(key));
  for (const box of boxes) {
    const ink = () => getComputedStyle(box).color;
    const layout = {
      colorway: COLOURS, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", hovermode: "closest", height: 360,
      margin: { l: 55, r: 15, t: given.title ? 40 : 15, b: 45 }, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      ...given,
    };
    for (const key of new Set(["xaxis", "yaxis", ...axes])) layout[key] = axis(given[key]);
    layout.font = { family: "system-ui, sans-serif", size: 13, ...given.font, color: ink() };
    box.textContent = "";
    // Nothing leaves the page: Plotly would offer to upload a figure.
    const config = { responsive: true, displayModeBar: false, showSendToCloud: false, plotlyServerURL: "" };
    await Plotly.newPlot(box, { data: figure.data, layout, frames: figure.frames, config });
    // A page may change between light and dark.
    const recolour = () => Plotly.relayout(box, { "font.color": ink() });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
    for (const root of [document.documentElement, document.body]) {
      new MutationObserver(() => setTimeout(recolour)).observe(root, { attributes: true, attributeFilter: ["data-theme", "data-jp-theme-light"] });
    }
  }
})();
