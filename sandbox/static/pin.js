// Fills the PIN pad without a round trip for every digit. Without this script each press is a form post.
"use strict";

const form = document.querySelector("form[data-pin]");
const pin = form.elements.pin;
const dots = form.querySelector(".dots");
const LENGTH = dots.children.length;

function show() {
  [...dots.children].forEach((dot, place) => dot.classList.toggle("full", place < pin.value.length));
  dots.setAttribute("aria-label", `${pin.value.length} of ${LENGTH} digits entered`);
}

function press(key) {
  if (pin.value.length >= LENGTH) return;
  pin.value = key === "delete" ? pin.value.slice(0, -1) : pin.value + key;
  show();
  if (pin.value.length === LENGTH) form.submit();
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (event.submitter) press(event.submitter.value);
});

document.addEventListener("keydown", (event) => {
  if (/^\d$/.test(event.key)) press(event.key);
  if (event.key === "Backspace") press("delete");
});

// A page that comes back from the history starts with an empty PIN; what is typed before the last picture of a
// new page has come counts.
window.addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  pin.value = "";
  show();
});
