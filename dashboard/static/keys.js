/* The keyboard, on every page: / searches, j and k go through the rows of a table, Enter or o opens one, ? helps. */
(function () {
  "use strict";

  var TYPED_IN = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";
  var help = document.getElementById("help");

  function rows() {
    return Array.from(document.querySelectorAll("main table tbody tr")).filter(function (row) {
      return row.querySelector("a[href]") && row.offsetParent;
    });
  }

  function current() {
    var focused = document.activeElement.closest("main tbody tr");
    return document.querySelector("main tr.current") || focused;
  }

  function go(step) {
    var all = rows();
    if (!all.length) return;
    var here = all.indexOf(current());
    var next = all[Math.min(Math.max(here + step, 0), all.length - 1)] || all[0];
    all.forEach(function (row) {
      row.classList.toggle("current", row === next);
    });
    next.querySelector("a[href]").focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function search() {
    var field = document.querySelector("main input[type=search]");
    if (!field) return false;
    field.focus();
    field.select();
    return true;
  }

  function open() {
    var row = current();
    var link = row && row.querySelector("a[href]");
    if (link) link.click();
    return Boolean(link);
  }

  var KEYS = {
    "/": search,
    j: function () { go(1); return true; },
    k: function () { go(-1); return true; },
    o: open,
    "?": function () { help.showModal(); return true; },
  };

  document.addEventListener("keydown", function (event) {
    var field = event.target.matches(TYPED_IN);
    if (event.key === "Escape" && field && event.target.type === "search") return event.target.blur();
    if (field || event.ctrlKey || event.metaKey || event.altKey || !help || help.open) return;
    if (event.key === "Enter" && event.target === document.body && open()) return event.preventDefault();
    if (Object.hasOwn(KEYS, event.key) && KEYS[event.key]()) event.preventDefault();
  });

  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-help]")) help.showModal();
    else if (event.target === help) help.close();
    else if (!event.target.closest("tr.current")) {
      document.querySelectorAll("tr.current").forEach(function (row) {
        row.classList.remove("current");
      });
    }
  });
})();
