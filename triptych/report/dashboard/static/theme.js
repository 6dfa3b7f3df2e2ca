"use strict";
// Before anything is drawn: the theme that this reader chose here. Without a choice it is the system's.
const THEMES = ["light", "dark"];
function setTheme(name) {
  if (THEMES.includes(name)) document.documentElement.dataset.theme = name; else delete document.documentElement.dataset.theme;
  try { if (THEMES.includes(name)) localStorage.setItem("triptych-theme", name); } catch { /* a browser that keeps nothing */ }
}
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
try { setTheme(localStorage.getItem("triptych-theme")); } catch { /* the system's, then */ }
