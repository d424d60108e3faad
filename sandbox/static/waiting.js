// Asks for the purchase's state and shows the next screen as soon as it changes.
"use strict";

const waiting = document.querySelector("[data-wait]");
const shown = document.documentElement.dataset.state;

async function look() {
  try {
    const answer = await fetch(waiting.dataset.wait, { cache: "no-store" });
    if (answer.ok && (await answer.text()) !== shown) {
      location.reload();
      return;
    }
  } catch {
    // The sandbox may be restarting: ask again.
  }
  setTimeout(look, 300);
}

look();
