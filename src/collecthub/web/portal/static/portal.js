// Comfort only: every page works without this file.
"use strict";

// "/" goes to the search box, as people know it from elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const box = document.querySelector("[data-search]");
  if (box) { event.preventDefault(); box.focus(); box.select(); }
});

// Ask before what cannot be undone; send a form once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) { event.preventDefault(); return; }
  const words = event.submitter?.dataset.confirm || form.dataset.confirm;
  if (words && !window.confirm(words)) { event.preventDefault(); return; }
  if ((event.submitter?.formMethod || form.method) === "post") {
    form.dataset.sent = "yes";
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-busy", "true");
  }
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-busy");
  }
});

// A link to a folded form opens it.
function unfold() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) { target.open = true; target.querySelector("input:not([type=hidden]), textarea")?.focus(); }
}
window.addEventListener("hashchange", unfold);
unfold();

// Escape folds the menu again.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.querySelector("details.menu[open]")?.removeAttribute("open");
});

// A part of the page that the server keeps fresh: fetched again while it says that something is under way.
async function refresh(part) {
  const answer = await fetch(part.dataset.poll, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (!answer.ok || answer.redirected) return;
  part.innerHTML = await answer.text();
  schedule(part);
}
function schedule(part) {
  const wait = Number(part.querySelector("[data-again]")?.dataset.again);
  if (wait) setTimeout(() => refresh(part).catch(() => schedule(part)), wait);
}
for (const part of document.querySelectorAll("[data-poll]")) schedule(part);

// A list that is worked through by keys: j and k go down and up, x chooses, Enter opens, d does what is proposed.
const rows = [...document.querySelectorAll("table[data-keys] tbody tr")];
let at = -1;
document.addEventListener("keydown", (event) => {
  if (!rows.length || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "j" || event.key === "k") {
    at = Math.max(0, Math.min(rows.length - 1, at + (event.key === "j" ? 1 : -1)));
    rows[at].querySelector("[data-open]")?.focus();
  }
  if (event.key === "x" && at >= 0) rows[at].querySelector("input[type=checkbox]")?.click();
  if (event.key === "d" && at >= 0) rows[at].querySelector("[data-act]")?.click();
});
