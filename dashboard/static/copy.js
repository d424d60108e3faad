/* Copies what a button names in data-copy. The buttons are hidden until this script shows them. */
(function () {
  "use strict";

  var SHOWN_FOR = 2500;

  function copied(button) {
    button.dataset.label = button.dataset.label || button.textContent;
    button.textContent = button.dataset.copied;
    clearTimeout(button.timer);
    button.timer = setTimeout(function () {
      button.textContent = button.dataset.label;
    }, SHOWN_FOR);
  }

  // Over plain HTTP browsers offer no clipboard; an element that is selected can still be copied.
  function copyBySelection(text) {
    var area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    var done = document.execCommand("copy");
    area.remove();
    return done ? Promise.resolve() : Promise.reject(new Error("nothing was copied"));
  }

  function copy(text) {
    if (!navigator.clipboard) return copyBySelection(text);
    return navigator.clipboard.writeText(text).catch(function () {
      return copyBySelection(text);
    });
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (!button) return;
    copy(button.dataset.copy).then(
      function () {
        copied(button);
        button.focus();
      },
      function () {}
    );
  });

  htmx.onLoad(function (element) {
    element.querySelectorAll("[data-copy]").forEach(function (button) {
      button.hidden = false;
    });
  });
})();
