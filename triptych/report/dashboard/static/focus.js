// One run in detail: how it stands, what its agent sees now, its newest film, its settings.
import { ask, state } from "./store.js";
import { about, bar, clock, count, element, score, span } from "./words.js";

const box = document.getElementById("focus");
const parts = {};  // what stays while the numbers change: a film plays on, a fold stays open
let shown = "";

function build(name) {
  shown = name;
  for (const [part, tag] of Object.entries({ head: "div", warnings: "div", now: "div", film: "figure", more: "div" })) parts[part] = element(tag, { class: part });
  box.replaceChildren(parts.head, parts.warnings, element("div", { class: "side" }, parts.now, parts.film), parts.more);
}

function tile(title, value, note = "") {
  return element("div", { class: "tile" }, element("dt", {}, title), element("dd", {}, value, note ? element("span", { class: "note" }, ` ${note}`) : null));
}

function ends(run) {
  if (run.state === "running") return run.ends ? [span(run.ends - Date.now() / 1000), `until ${clock(run.ends)}`] : ["-", run.total ? "too early to say" : ""];
  return [run.written ? clock(run.written) : "-", ""];
}

function head(run) {
  const share = run.total ? run.done / run.total : null;
  const [left, until] = ends(run);
  const last = run.last, loss = last.loss === undefined ? [] : [tile("loss", score(last.loss))];
  const tests = last.evaluation_mean === undefined ? [] : [tile("mean of the last test", score(last.evaluation_mean), last.evaluation_games ? `of ${count(last.evaluation_games)} game${last.evaluation_games > 1 ? "s" : ""}` : "")];
  const random = last.epsilon ? [tile("random moves", `${score(100 * last.epsilon)} %`)] : [];
  const done = run.total ? `${count(run.done)} of ${count(run.total)} ${run.unit}, ${Math.floor(100 * share)} %` : `${count(run.steps)} steps`;
  parts.head.replaceChildren(
    element("h2", {}, run.name, " ", element("span", { class: `state ${run.state}` }, run.state)),
    element("p", { class: "note" }, [about(run), run.state === "finished" ? run.said : ""].filter(Boolean).join(" \u00b7 ")),
    share === null ? "" : bar(share, done),
    element("p", { class: "done" }, done),
    element("dl", { class: "tiles" },
      tile("reward, last 100 episodes", score(run.reward)), tile(run.state === "running" ? "ends in" : "ended", left, until),
      tile("steps a second", count(run.speed)), tile("episodes", count(run.episodes)), tile("trained for", span(run.seconds)), ...tests, ...loss, ...random));
}

function warn(run) {
  const error = run.error ? [element("details", {}, element("summary", {}, "Its traceback"), element("pre", {}, run.error))] : [];
  const before = parts.warnings.querySelector("details")?.open;
  parts.warnings.replaceChildren(...run.warnings.map(line => element("p", { class: "warning" }, line)), ...error);
  if (before && error.length) error[0].open = true;
}

// Film and settings are made anew only where they are others.
function rest(run) {
  const film = run.film ? `film?${new URLSearchParams({ run: run.name, file: run.film.file })}&at=${run.film.written}` : "";
  if (parts.film.dataset.film !== film) {
    parts.film.dataset.film = film;
    parts.film.replaceChildren(...(film ? [element("video", { controls: true, loop: true, muted: true, playsinline: true, preload: "metadata", src: film, "aria-label": `test game, ${run.film.name}` }),
      element("figcaption", {}, `Test game: ${run.film.name}, filmed ${clock(run.film.written)}`)] : []));
  }
  if (parts.more.dataset.run !== run.name) {
    parts.more.dataset.run = run.name;
    const rows = run.settings.map(([name, value]) => element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, value)));
    parts.more.replaceChildren(element("details", {}, element("summary", {}, `${run.settings.length} settings`), element("div", { class: "scroll" }, element("table", {}, element("tbody", {}, ...rows)))));
  }
}

function canvas(picture) {
  const { width, height, channels } = picture;
  const drawn = element("canvas", { width, height, role: "img", "aria-label": picture.label });
  const bytes = Uint8Array.from(atob(picture.data), letter => letter.charCodeAt(0)), image = new ImageData(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) image.data[4 * pixel + channel] = bytes[pixel * channels + (channels > 2 ? channel : 0)];
    image.data[4 * pixel + 3] = 255;
  }
  drawn.getContext("2d").putImageData(image, 0, 0);
  return drawn;
}

const widest = new Map();  // run -> how far its Q values lay apart at most, while somebody looked: what a full bar stands for

// A row for each action, as in the films: of probabilities a bar goes from 0 to 1, of Q values from the lowest of them.
function bars(run, now) {
  const there = now.values.every(value => value !== null);
  if (!now.values.length || !there) return element("p", { class: "warning" }, "Its values are not finite.");
  const values = now.values, low = now.is_policy ? 0 : Math.min(...values);
  if (!now.is_policy) widest.set(run.name, Math.max(widest.get(run.name) || 0, Math.max(...values) - low));
  const full = now.is_policy ? 1 : widest.get(run.name);
  const rows = values.map((value, action) => {
    const best = value === Math.max(...values);
    return element("tr", { class: best ? "best" : null }, element("th", { scope: "row" }, now.actions[action]),
      element("td", { class: "wide" }, bar(full > 0 ? (value - low) / full : 0, now.actions[action])),
      element("td", { class: "number" }, now.is_policy ? `${(100 * value).toFixed(1)} %` : score(value)));
  });
  const title = now.is_policy ? "Chance of each action" : "Q value of each action, bars from the lowest";
  return element("table", { class: "bars" }, element("caption", {}, title), element("tbody", {}, ...rows));
}

function numbers(one) {
  const rows = one.values.map((value, place) => element("tr", {}, element("th", { scope: "row" }, `${one.name}[${place}]`), element("td", { class: "number" }, value === null ? "not finite" : value.toFixed(3))));
  return element("table", { class: "vector" }, element("tbody", {}, ...rows));
}

function sees(run, now) {
  if (now.steps === undefined) return parts.now.replaceChildren();
  const count_ = now.pictures.length;
  const pictures = now.pictures.map((picture, place) => canvas({ ...picture, label: `what the agent sees, picture ${place + 1} of ${count_}` }));
  const told = [`step ${count(now.steps)}`, `episode ${count(now.episode)}, its step ${count(now.length)}`, now.reward === null ? "" : `reward so far ${score(now.reward)}`];
  parts.now.replaceChildren(
    element("h3", {}, run.state === "running" ? "What the agent sees" : "What the agent saw last"),
    element("p", { class: "note" }, told.filter(Boolean).join(" \u00b7 ")),
    now.broken_steps && run.state === "running" ? element("p", { class: "warning" }, `Steps so far that were not learned from, as a reward or an observation was not finite: ${count(now.broken_steps)}`) : "",
    element("div", { class: "seen" },
      pictures.length ? element("div", { class: "pictures" }, ...pictures) : null, ...now.numbers.map(numbers),
      element("div", {}, bars(run, now), now.value === null ? null : element("p", { class: "note" }, `Value of the state: ${score(now.value)}`))));
}

export async function drawFocus() {
  const name = state.focus;
  box.hidden = !name;
  if (!name) return;
  const [run, now] = await Promise.all([ask("run", { run: name }), ask("now", { run: name }).catch(() => ({}))]);
  if (state.focus !== name) return;
  if (shown !== name) build(name);
  head(run);
  warn(run);
  rest(run);
  sees(run, now);
}
