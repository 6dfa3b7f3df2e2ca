// Numbers, times and elements, as people read and browsers draw them. No text of a file ever becomes markup.

export function element(tag, attributes = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...inside.filter(one => one !== null && one !== undefined && one !== false));
  return made;
}

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
export const count = value => value === null || value === undefined ? "-" : whole.format(value);

export function score(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "-";
  const size = Math.abs(value);
  return new Intl.NumberFormat("en", size < 10 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: size < 1000 ? 1 : 0 }).format(value);
}

export function span(seconds) {
  if (seconds === null || seconds === undefined) return "-";
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${(seconds / 3600).toFixed(1)} h`;
  return `${(seconds / 86400).toFixed(seconds < 864000 ? 1 : 0)} days`;
}

export function clock(time) {
  const at = new Date(time * 1000), now = new Date();
  const hour = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return at.toDateString() === now.toDateString() ? hour : `${hour} on ${at.toLocaleDateString("en-GB", { day: "numeric", month: "long" })}`;
}

const FRAMEWORKS = { torch: "PyTorch", jax: "JAX", keras: "Keras" };
export const about = run => [run.algorithm, run.game, FRAMEWORKS[run.framework] || run.framework, run.seed === null ? "" : `seed ${run.seed}`].filter(Boolean).join(" \u00b7 ");

// What a group of seeds is called; its first run's name tells it from others of the same algorithm.
export const ofSeeds = (run, seeds) => `${about({ ...run, seed: null })}: ${run.name} and ${seeds - 1} more seed${seeds > 2 ? "s" : ""}`;

export function swatch(paint) {
  const dashes = { solid: "", dash: "7 4", dot: "2 3", dashdot: "7 3 2 3", longdash: "11 4" };
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), line = document.createElementNS(svg.namespaceURI, "line");
  for (const [name, value] of [["width", 22], ["height", 8], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
  for (const [name, value] of [["x1", 0], ["x2", 22], ["y1", 4], ["y2", 4], ["stroke", paint.colour], ["stroke-width", 3], ["stroke-dasharray", dashes[paint.dash]]]) line.setAttribute(name, value);
  svg.append(line);
  return svg;
}

export function bar(share, label) {
  const filled = element("span", { class: "filled" });
  filled.style.width = `${100 * Math.min(1, Math.max(0, share))}%`;
  return element("span", { class: "progress", role: "progressbar", "aria-label": label, "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(100 * share) }, filled);
}
