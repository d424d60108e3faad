/* The overview's live changes: what is the same stays the same element, so no focus, hover or open part is lost;
   lists stand still while somebody points at them. */
(function () {
  "use strict";

  var waiting = new Map(); // sections that stand still: what they will show
  var canHover = matchMedia("(hover: hover)").matches;

  function held(section) {
    var focused = section.contains(document.activeElement);
    return section.hasAttribute("data-hold") && (focused || (canHover && section.matches(":hover")));
  }

  function same(node, other) {
    return node.nodeType === other.nodeType && node.nodeName === other.nodeName && (node.id || "") === (other.id || "");
  }

  function attributes(element, wanted) {
    Array.from(wanted.attributes).forEach(function (attribute) {
      if (element.getAttribute(attribute.name) !== attribute.value) {
        element.setAttribute(attribute.name, attribute.value);
      }
    });
    Array.from(element.attributes).forEach(function (attribute) {
      // What somebody unfolded is theirs.
      if (!wanted.hasAttribute(attribute.name) && attribute.name !== "open" && attribute.name !== "class") {
        element.removeAttribute(attribute.name);
      }
    });
  }

  /** Turn `element` into `wanted`, keeping every node that is still there. */
  function morph(element, wanted) {
    attributes(element, wanted);
    children(element, wanted);
  }

  function children(element, wanted) {
    var place = element.firstChild;
    Array.from(wanted.childNodes).forEach(function (node) {
      var found = match(place, node);
      if (!found) {
        var made = document.importNode(node, true);
        element.insertBefore(made, place);
        if (made.localName === "li") made.classList.add("fresh");
        return;
      }
      if (found !== place) {
        element.insertBefore(found, place);
      } else {
        place = place.nextSibling;
      }
      if (found.nodeType === Node.ELEMENT_NODE) {
        morph(found, node);
      } else if (found.nodeValue !== node.nodeValue) {
        found.nodeValue = node.nodeValue;
      }
    });
    while (place) {
      var next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  /** The node at `place` or after it that stands for `node`: by its id, or else the one at that place. */
  function match(place, node) {
    if (!node.id) {
      return place && same(place, node) ? place : null;
    }
    for (var other = place; other; other = other.nextSibling) {
      if (same(other, node)) return other;
    }
    return null;
  }

  function show(section, html) {
    waiting.delete(section);
    section.classList.remove("has-news");
    var wanted = new DOMParser().parseFromString("<section>" + html + "</section>", "text/html");
    children(section, wanted.body.firstChild);
  }

  function letGo() {
    waiting.forEach(function (html, section) {
      if (!held(section)) show(section, html);
    });
  }

  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    var section = event.target;
    if (!section.hasAttribute("data-morph")) return;
    event.preventDefault();
    if (held(section)) {
      waiting.set(section, event.detail.data);
      section.classList.add("has-news");
    } else {
      show(section, event.detail.data);
    }
  });

  document.addEventListener("mouseout", function () {
    requestAnimationFrame(letGo);
  });
  document.addEventListener("focusout", function () {
    requestAnimationFrame(letGo);
  });
})();
