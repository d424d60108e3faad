// Keeps the list of invoices fresh while nobody is using it.
"use strict";

const list = document.querySelector("[data-refresh]");

async function refresh() {
  if (!document.hidden && !list.contains(document.activeElement)) {
    try {
      const answer = await fetch(list.dataset.refresh, { cache: "no-store" });
      if (answer.ok) list.innerHTML = await answer.text();
    } catch {
      // The sandbox may be restarting: try again.
    }
  }
  setTimeout(refresh, 1500);
}

setTimeout(refresh, 1500);
