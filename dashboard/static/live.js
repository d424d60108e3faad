/* What keeps a page alive: the stream's mark, arrivals, times that go on. Pages work without it. */
(function () {
  "use strict";

  var HIDDEN_FOR = 15000; // a tab nobody looks at lets go of its stream after this: browsers have few of them
  var SILENT_FOR = 2000; // shorter gaps are not worth a word

  /** An EventSource that rests while the tab is hidden, and goes on where it stopped. */
  function RestingSource(url) {
    this.url = url;
    this.last = "";
    this.listeners = [];
    this.resting = 0;
    this.turn = this.turn.bind(this);
    document.addEventListener("visibilitychange", this.turn);
    this.open();
  }

  RestingSource.prototype = {
    get readyState() {
      return this.source.readyState;
    },
    open: function () {
      var self = this;
      var url = new URL(this.url, location.href);
      if (this.last) {
        url.searchParams.set("after", this.last);
      }
      this.source = new EventSource(url);
      this.source.onopen = function (event) {
        if (self.onopen) self.onopen(event);
      };
      this.source.onerror = function (event) {
        if (self.onerror) self.onerror(event);
      };
      this.listeners.forEach(function (entry) {
        self.source.addEventListener(entry.type, entry.heard);
      });
    },
    addEventListener: function (type, listener) {
      var self = this;
      var heard = function (event) {
        self.last = event.lastEventId || self.last;
        listener(event);
      };
      this.listeners.push({ type: type, listener: listener, heard: heard });
      this.source.addEventListener(type, heard);
    },
    removeEventListener: function (type, listener) {
      var self = this;
      this.listeners = this.listeners.filter(function (entry) {
        var gone = entry.type === type && entry.listener === listener;
        if (gone) self.source.removeEventListener(type, entry.heard);
        return !gone;
      });
    },
    turn: function () {
      var self = this;
      clearTimeout(this.resting);
      if (document.hidden) {
        this.resting = setTimeout(function () {
          self.source.close();
          self.asleep = true;
        }, HIDDEN_FOR);
      } else if (this.asleep) {
        this.asleep = false;
        this.open();
      }
    },
    close: function () {
      clearTimeout(this.resting);
      document.removeEventListener("visibilitychange", this.turn);
      this.source.close();
    },
  };

  htmx.createEventSource = function (url) {
    return new RestingSource(url);
  };

  var texts = document.documentElement.dataset;
  var mark = document.getElementById("live");
  var silence = 0;

  function show(state, words) {
    clearTimeout(silence);
    if (mark) {
      mark.hidden = false;
      mark.className = "live " + state;
      mark.textContent = words;
    }
  }

  var known = new WeakSet();

  document.addEventListener("htmx:sseOpen", function (event) {
    var source = event.detail.source;
    show("on", texts.live);
    if (!known.has(source)) {
      known.add(source);
      source.addEventListener("arrival", arrived);
      source.addEventListener("stale", stale);
    }
  });

  document.addEventListener("htmx:sseError", function () {
    clearTimeout(silence);
    silence = setTimeout(show, SILENT_FOR, "off", texts.reconnecting);
  });

  // New purchases are announced, not inserted: nothing moves under the pointer.
  function arrived(event) {
    var news = document.getElementById("news");
    if (!news || document.getElementById("p-" + event.data)) {
      return;
    }
    news.arrivals = (news.arrivals || new Set()).add(event.data);
    var link = news.querySelector("a");
    var count = news.arrivals.size;
    link.textContent = count === 1 ? link.dataset.one : link.dataset.many.replace("{n}", count);
    news.hidden = false;
  }

  function stale() {
    document.getElementById("stale").hidden = false;
  }

  // Events near the last one seen may come twice; what is shown already is not shown again as news.
  document.addEventListener("htmx:sseBeforeMessage", function (event) {
    var shown = event.target.dataset.revision;
    var told = /data-revision="(\d+)"/.exec(event.detail.data);
    if (shown && told && Number(told[1]) <= Number(shown)) {
      event.preventDefault();
    }
  });

  // What was unfolded stays so when the page is drawn anew.
  var unfolded = [];
  document.addEventListener("htmx:beforeSwap", function (event) {
    unfolded = Array.from(event.detail.target.querySelectorAll("details[open][id]"), function (details) {
      return details.id;
    });
  });
  document.addEventListener("htmx:afterSwap", function () {
    unfolded.forEach(function (id) {
      var details = document.getElementById(id);
      if (details) details.open = true;
    });
    tell();
  });

  var units = (document.documentElement.dataset.ages || "s|min|h|d").split("|");
  var STEPS = [
    [60, 1],
    [3600, 60],
    [86400, 3600],
    [2592000, 86400],
  ];

  function age(at) {
    var seconds = Math.max((Date.now() - at) / 1000, 0);
    var index = STEPS.findIndex(function (step) {
      return seconds < step[0];
    });
    return index >= 0 && Math.floor(seconds / STEPS[index][1]) + " " + units[index];
  }

  function set(element, text) {
    if (text && element.textContent !== text) element.textContent = text;
  }

  // Ages go on; clocks stand in the shop's zone, as the server wrote them.
  function tell() {
    document.querySelectorAll("time[data-age]").forEach(function (element) {
      set(element, age(Date.parse(element.dateTime)));
    });
  }

  document.addEventListener("DOMContentLoaded", tell);
  document.addEventListener("htmx:sseMessage", tell);
  document.addEventListener("htmx:load", tell);
  setInterval(tell, 5000);
})();
