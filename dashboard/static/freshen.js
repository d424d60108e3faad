/* Brings the regions of a page up to date from a page that was read anew, and leaves alone what somebody is at:
   a half-written text, an open confirmation, what is unfolded, the focus, the place on the page. */
(function () {
  "use strict";

  var written = new WeakMap(); // the server's HTML of a region or an entry, before scripts changed it

  function html(element) {
    var plain = element.cloneNode(true);
    plain.querySelectorAll("time[data-age], [data-copy]").forEach(function (piece) {
      piece.textContent = "";
      piece.hidden = false;
    });
    return plain.outerHTML;
  }

  function remember(region) {
    written.set(region, html(region));
    if ("merge" in region.dataset) {
      Array.from(region.children).forEach(function (entry) {
        written.set(entry, html(entry));
      });
    }
  }

  function put(old, fresh) {
    var focused = old.contains(document.activeElement) ? handle(document.activeElement) : null;
    var text = html(fresh);
    old.replaceWith(fresh);
    written.set(fresh, text);
    wake(fresh);
    var found = focused && fresh.querySelector(focused);
    if (found) found.focus({ preventScroll: true });
  }

  function wake(element) {
    htmx.process(element);
    htmx.trigger(element, "htmx:load");
  }

  function handle(element) {
    if (element.id) return "#" + CSS.escape(element.id);
    if (element.dataset.copy) return "[data-copy=" + CSS.escape(element.dataset.copy) + "]";
    var details = element.tagName === "SUMMARY" && element.parentElement.id;
    return details ? "#" + CSS.escape(details) + " > summary" : null;
  }

  // Entries keep their places, so the browser keeps what is read where it is; new ones come in between.
  function merge(list, fresh) {
    var unfolded = Array.from(list.querySelectorAll("details[open][id]"));
    var known = new Map();
    Array.from(list.children).forEach(function (entry) {
      known.set(entry.id, entry);
    });
    var place = list.firstElementChild;
    Array.from(fresh.children).forEach(function (entry) {
      var old = known.get(entry.id);
      known.delete(entry.id);
      if (!old) {
        entry.classList.add("changed");
        written.set(entry, html(entry));
        list.insertBefore(entry, place);
        wake(entry);
      } else {
        place = old.nextElementSibling;
        if (written.get(old) !== html(entry)) put(old, entry);
      }
    });
    known.forEach(function (gone) {
      gone.remove();
    });
    unfolded.forEach(unfold);
  }

  // Texts that were read once are not read again: the old element comes back.
  function unfold(old) {
    var fresh = document.getElementById(old.id);
    if (!fresh || fresh === old) return;
    if (old.classList.contains("texts")) fresh.replaceWith(old);
    else fresh.open = true;
  }

  function busy(region) {
    return region.querySelector("details.careful[open]");
  }

  function freshen(old, fresh) {
    if ("merge" in old.dataset) {
      merge(old, fresh);
    } else if (written.get(old) !== html(fresh)) {
      var open = busy(old);
      if (!open) return put(old, fresh);
      open.querySelectorAll(".changed-since").forEach(function (hint) {
        hint.hidden = false;
      });
      open.addEventListener("toggle", function () {
        if (old.isConnected) put(old, fresh);
      }, { once: true });
    }
  }

  document.addEventListener("htmx:beforeSwap", function (event) {
    var asked = event.detail.elt || event.target;
    if (!("freshen" in asked.dataset)) return;
    event.detail.shouldSwap = false;
    if (event.detail.xhr.status !== 200) return;
    var page = new DOMParser().parseFromString(event.detail.serverResponse, "text/html");
    document.querySelectorAll("[data-region]").forEach(function (region) {
      var fresh = page.getElementById(region.id);
      if (fresh) freshen(region, document.importNode(fresh, true));
    });
  });

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("[data-region]").forEach(remember);
    document.querySelectorAll("[data-draft]").forEach(keep);
  });

  // What is half written outlives a reload.
  function keep(field) {
    var key = "draft " + field.dataset.draft;
    if (!field.value) field.value = sessionStorage.getItem(key) || "";
    field.addEventListener("input", function () {
      sessionStorage.setItem(key, field.value);
    });
    field.form.addEventListener("submit", function () {
      sessionStorage.removeItem(key);
    });
  }
})();
