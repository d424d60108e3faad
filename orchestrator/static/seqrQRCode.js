/* Puts a SEQR code on a product page. See docs/qr-codes.md.
 *
 *   seqrQRCode.qrCode({selector: "#qrcode", purchaseToken: "mug", webshopId: "my-shop", mode: "demo"});
 *
 * Needs no other library, sets no inline style and asks nothing but the picture of the code.
 */
(function (window, document) {
  "use strict";

  // Filled in by the server: the webshopId and, by mode, the link that does what scanning the code does.
  var shop = SHOP_OF_THIS_SERVER;
  var base = document.currentScript.src.replace(/[?#].*$/, "").replace(/(\/static)?\/[^\/]*$/, "");

  function warn(text) {
    if (window.console) {
      window.console.warn("seqrQRCode: " + text);
    }
  }

  function onPhone() {
    var coarse = window.matchMedia && window.matchMedia("(hover: none) and (pointer: coarse)").matches;
    return coarse || /Android|iPhone|iPad|iPod|Mobile/i.test(window.navigator.userAgent);
  }

  function empty(element) {
    while (element.firstChild) {
      element.removeChild(element.firstChild);
    }
  }

  function linkTo(token, mode) {
    var link = shop.links[mode === "demo" ? "demo" : "live"].split("{token}").join(encodeURIComponent(token));
    // A web address works in any browser, a seqr: link only where the app is.
    return /^https?:/i.test(link) || onPhone() ? link : null;
  }

  function picture(element, token) {
    var image = document.createElement("img");
    image.className = "seqr-qr-code";
    image.alt = "SEQR code: scan it with the SEQR app to buy";
    image.onerror = function () {
      empty(element);
      element.appendChild(document.createTextNode("No SEQR code is available for this product."));
      warn("no code for purchaseToken " + JSON.stringify(token) + "; is it for sale? " + image.src);
    };
    image.src = base + "/qr/" + encodeURIComponent(token) + ".svg";
    return image;
  }

  function fill(element, token, mode) {
    var image = picture(element, token);
    var link = linkTo(token, mode);
    empty(element);
    if (link === null) {
      element.appendChild(image);
      return;
    }
    var anchor = document.createElement("a");
    anchor.href = link;
    anchor.appendChild(image);
    element.appendChild(anchor);
  }

  function draw(options) {
    var elements = document.querySelectorAll(options.selector);
    if (elements.length === 0) {
      warn("nothing on this page matches the selector " + JSON.stringify(options.selector));
    }
    for (var i = 0; i < elements.length; i += 1) {
      fill(elements[i], String(options.purchaseToken), options.mode);
    }
  }

  function qrCode(options) {
    if (!options || !options.selector || !options.purchaseToken) {
      warn("qrCode needs a selector and a purchaseToken");
      return;
    }
    if (options.webshopId && options.webshopId !== shop.webshopId) {
      warn("webshopId should be " + JSON.stringify(shop.webshopId) + "; the code is drawn with that");
    }
    if (document.readyState === "loading") {
      document.addEventListener("DOMContentLoaded", function () { draw(options); });
    } else {
      draw(options);
    }
  }

  window.seqrQRCode = { qrCode: qrCode };
}(window, document));
