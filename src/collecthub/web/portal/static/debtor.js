// Comfort only: the page works without this file.
"use strict";

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.dataset.copied = "yes";
    button.setAttribute("aria-pressed", "true");
  });
}
