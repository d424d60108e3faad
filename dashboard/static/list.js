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
  var focused = null;
  var before = null;
  var SETTLED = 50; // ms; until then htmx gives a new row the attributes that it came with once more

  function makeCurrent(row) {
    if (!document.querySelector("tr.current")) row.classList.add("current");
  }

  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    var row = event.target.closest && event.target.closest("tr[data-state]");
    if (!row) return;
    var at = row.contains(document.activeElement) && document.activeElement;
    focused = at && { row: row.id, tag: at.tagName };
    before = { id: row.id, state: row.dataset.state, current: row.classList.contains("current") };
  });
  document.addEventListener("htmx:sseMessage", function () {
    var row = before && document.getElementById(before.id);
    if (!row) return;
    if (before.current) setTimeout(makeCurrent, SETTLED, row);
    if (row.dataset.state !== before.state) announce(row.dataset.news);
    if (focused && focused.row === row.id) {
      var again = row.querySelector(focused.tag.toLowerCase());
      if (again) again.focus({ preventScroll: true });
    }
    focused = before = null;
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
