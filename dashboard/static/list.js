/* The live list: says what has changed, marks what does not fit the filter any more, keeps focus and pointer. */
(function () {
  "use strict";

  var said = 0;
  var words = [];

  /** For who listens instead of looks: a few words at a time, not one for each of a hundred changes. */
  function announce(text) {
    if (!text || words.indexOf(text) >= 0) return;
    words.push(text);
    clearTimeout(said);
    said = setTimeout(function () {
      document.getElementById("announce").textContent = words.slice(-3).join(". ");
      words = [];
    }, 600);
  }

  /** The row stays where it is until the list is loaded again, and says that it has moved on. */
  function out(event) {
    var row = document.getElementById("p-" + event.data);
    if (!row || row.querySelector(".out")) return;
    var mark = document.createElement("span");
    mark.className = "out";
    mark.title = row.dataset.whyOut || "";
    mark.textContent = row.dataset.out || "";
    row.querySelector(".c-state").append(mark);
  }

  var known = new WeakSet();
  document.addEventListener("htmx:sseOpen", function (event) {
    var source = event.detail.source;
    if (known.has(source)) return;
    known.add(source);
    source.addEventListener("out", out);
  });

  // A row is replaced by its news: what had the focus gets it back, without a move of the page.
  var before = null;

  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    var row = event.target.closest && event.target.closest("tr[data-state]");
    var at = row && row.contains(document.activeElement) && document.activeElement;
    before = row && {
      id: row.id,
      state: row.dataset.state,
      current: row.classList.contains("current"),
      focused: at && at.tagName,
    };
  });
  // The extension tells of its message on the row that is gone, which nobody hears; the new one is loaded.
  document.addEventListener("htmx:load", function (event) {
    var row = event.target;
    if (!before || row.id !== before.id) return;
    if (before.current && !document.querySelector("tr.current")) row.classList.add("current");
    if (row.dataset.state !== before.state) announce(row.dataset.news);
    var again = before.focused && row.querySelector(before.focused.toLowerCase());
    if (again) again.focus({ preventScroll: true });
    before = null;
  });

  // The search draws the list anew: the link to its export stands outside of it.
  document.addEventListener("htmx:afterSwap", function () {
    var list = document.getElementById("list");
    var link = document.getElementById("export");
    if (list && link && list.dataset.export) link.href = list.dataset.export;
  });

  // Escape and a click beside it fold the filter's sheet; what is filled in stays.
  var sheet = document.getElementById("filters");
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape" || !sheet || !sheet.open) return;
    sheet.open = false;
    sheet.querySelector("summary").focus();
  });
  document.addEventListener("click", function (event) {
    if (sheet && sheet.open && !sheet.contains(event.target) && event.target.isConnected) sheet.open = false;
  });
})();
