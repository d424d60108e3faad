// What a merchant writes to put a SEQR code on a product page, plus the way to the simulated phone.
"use strict";

const place = document.getElementById("qrcode");
const { purchaseToken, webshopId, phone } = place.dataset;

if (window.seqrQRCode) {
  window.seqrQRCode.qrCode({ selector: "#qrcode", purchaseToken, webshopId, mode: "demo" });
}

// In the demo there is no SEQR app, so a click on the code opens the simulated phone.
place.addEventListener("click", (event) => {
  event.preventDefault();
  location.assign(phone);
});
