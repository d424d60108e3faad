/* Rows of a bundle's parts, added and removed at once. Without this the server does it. */
(function () {
  "use strict";

  var parts = document.getElementById("parts");
  var add = document.getElementById("add-part");
  var pattern = document.getElementById("part-row");
  var titles = document.getElementById("titles");

  function rows() {
    return parts.querySelectorAll(".part");
  }

  function number() {
    rows().forEach(function (row, at) {
      row.querySelectorAll("[id]").forEach(function (input) {
        input.id = input.id.replace(/-\w+$/, "-" + (at + 1));
        input.name = input.id;
      });
      row.querySelectorAll("label").forEach(function (label) {
        label.htmlFor = label.htmlFor.replace(/-\w+$/, "-" + (at + 1));
      });
      row.querySelector("[data-drop]").value = "drop-" + (at + 1);
    });
    add.disabled = rows().length >= Number(parts.dataset.most);
  }

  add.addEventListener("click", function (event) {
    event.preventDefault();
    parts.append(pattern.content.cloneNode(true));
    number();
    parts.lastElementChild.querySelector("input").focus();
  });

  parts.addEventListener("click", function (event) {
    var drop = event.target.closest("[data-drop]");
    if (!drop) return;
    event.preventDefault();
    drop.closest(".part").remove();
    number();
    add.focus();
  });

  parts.addEventListener("input", function (event) {
    var row = event.target.closest(".part");
    var known = Array.from(titles.options).find(function (option) {
      return option.value === row.querySelector("[list]").value;
    });
    row.querySelector(".part-title").textContent = known ? known.text : "";
  });
})();
