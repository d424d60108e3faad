/* Choosing purchases: kept in the tab, by filter, across live updates and pages. The form works without it. */
(function () {
  "use strict";

  var PREFIX = "chosen:";
  var last = null; // where a range begins

  function form() {
    return document.getElementById("bulk");
  }

  function boxes() {
    return Array.from(document.querySelectorAll('tbody input[name="id"][form="bulk"]'));
  }

  function key() {
    return PREFIX + form().dataset.filter;
  }

  function read() {
    var kept = {};
    try {
      kept = JSON.parse(sessionStorage.getItem(key())) || {};
    } catch {
      kept = {}; // storage is off or full: the choice lives as long as the page
    }
    return { ids: new Set(kept.ids || []), everything: Boolean(kept.everything) };
  }

  function write(chosen) {
    try {
      if (chosen.everything || chosen.ids.size) {
        sessionStorage.setItem(key(), JSON.stringify({ ids: Array.from(chosen.ids), everything: chosen.everything }));
      } else {
        sessionStorage.removeItem(key());
      }
    } catch {
      return; // as above
    }
  }

  /** Take over what the boxes say, then show it. */
  function keep(everything) {
    var chosen = read();
    chosen.everything = everything;
    boxes().forEach(function (box) {
      if (box.checked) {
        chosen.ids.add(box.value);
      } else {
        chosen.ids.delete(box.value);
      }
    });
    write(chosen);
    show(chosen);
  }

  function show(chosen) {
    var bar = form();
    var all = boxes();
    var ticked = 0;
    all.forEach(function (box) {
      box.checked = chosen.everything || chosen.ids.has(box.value);
      box.closest("tr").classList.toggle("ticked", box.checked);
      ticked += box.checked ? 1 : 0;
    });
    var page = document.getElementById("tick-page");
    if (page) {
      page.hidden = false;
      page.checked = ticked > 0 && ticked === all.length;
      page.indeterminate = ticked > 0 && ticked < all.length;
    }
    var any = chosen.everything || chosen.ids.size > 0;
    bar.classList.add("ready");
    bar.classList.toggle("any", any);
    bar.elements.everything.checked = chosen.everything;
    var words = bar.querySelector(".chosen");
    var number = chosen.ids.size;
    words.hidden = !any || chosen.everything;
    words.textContent = number === 1 ? bar.dataset.one : bar.dataset.many.replace("{n}", number);
    document.getElementById("choose-none").hidden = !any;
    if (any) count(bar);
  }

  /** Ask once how many the filter finds; only who chooses something wants to know. */
  function count(bar) {
    if (bar.dataset.counted) return;
    bar.dataset.counted = "1";
    fetch(bar.dataset.count, { headers: { "HX-Request": "true" } })
      .then(function (answer) {
        return answer.ok ? answer.text() : "";
      })
      .then(function (words) {
        if (words) bar.elements.everything.nextElementSibling.textContent = words;
      })
      .catch(function () {
        delete bar.dataset.counted;
      });
  }

  function refresh() {
    if (form()) show(read());
  }

  function range(box) {
    var all = boxes();
    var from = all.findIndex(function (other) {
      return other.value === last;
    });
    var to = all.indexOf(box);
    if (from < 0) return;
    all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach(function (other) {
      other.checked = box.checked;
    });
  }

  document.addEventListener("click", function (event) {
    var box = event.target;
    if (box.id === "choose-none") {
      last = null;
      var none = { ids: new Set(), everything: false };
      write(none);
      show(none);
    } else if (box.matches('input[name="id"][form="bulk"]')) {
      if (event.shiftKey) range(box);
      last = box.value;
      keep(false);
    } else if (box.id === "tick-page") {
      boxes().forEach(function (other) {
        other.checked = box.checked;
      });
      keep(false);
    } else if (box.name === "everything" && box.form === form()) {
      var chosen = read();
      chosen.everything = box.checked;
      write(chosen);
      show(chosen);
    }
  });

  document.addEventListener("keydown", function (event) {
    if (event.key !== "x" || event.ctrlKey || event.metaKey || event.altKey || !form()) return;
    if (event.target.matches("input:not([type=checkbox]), textarea, select, [contenteditable]")) return;
    var row = document.querySelector("tr.current") || document.activeElement.closest("tr");
    var box = row && row.querySelector('input[name="id"][form="bulk"]');
    if (!box) return;
    event.preventDefault();
    box.checked = !box.checked;
    last = box.value;
    keep(false);
  });

  // The boxes of this page go with the form by themselves; those of other pages are put beside them.
  document.addEventListener("submit", function (event) {
    var sent = event.target;
    if (sent === form()) { // not by its id: the boxes are called so, and hide it
      var here = new Set(boxes().map(function (box) { return box.value; }));
      var others = Array.from(read().ids).filter(function (id) { return !here.has(id); });
      sent.elements.ids.value = others.join(" ");
    } else if (sent.dataset.forget) {
      sessionStorage.removeItem(PREFIX + sent.dataset.forget);
    }
  });

  document.addEventListener("htmx:afterSwap", refresh);
  document.addEventListener("htmx:load", refresh);
  window.addEventListener("pageshow", refresh);
  refresh();
})();
