// Asks for the purchase's state and shows the next screen as soon as it changes, or as SEQR knows it no more.
"use strict";

const waiting = document.querySelector("[data-wait]");
const shown = waiting.dataset.from || document.documentElement.dataset.state;
// Where the customer reads and decides there is less hurry than where the shop is waited for.
const pause = shown === "details" ? 1500 : 300;
const UNKNOWN = 404;

async function look() {
  try {
    const answer = await fetch(waiting.dataset.wait, { cache: "no-store" });
    if (answer.status === UNKNOWN || (answer.ok && (await answer.text()) !== shown)) {
      location.replace(waiting.dataset.wait.replace(/\/state$/, ""));
      return;
    }
  } catch {
    // The sandbox may be restarting: ask again.
  }
  setTimeout(look, pause);
}

setTimeout(look, pause);
