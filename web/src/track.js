// What a visitor does on the customer's website, told to Gendan in small batches.
//
//   <script async src="https://bot.example.com/track.js" data-key="main.…"></script>
//   gendan.consent(true | false)   what the visitor decided; until then nothing is kept
//   gendan.track("white_paper", "/files/a.pdf")
//
// No cookies at all. Without consent the visitor's id lives in this page's memory; with consent it
// is kept in localStorage, and the link by which they came is told.
(() => {
  const script = document.currentScript;
  const key = script?.dataset.key;
  if (!key || navigator.webdriver || window.gendan) return;

  const url = new URL("/track", script.src).href;
  const VISITOR = "gendan.visitor", LINK = "gendan.link", CONSENT = "gendan.consent";
  const parameter = "gdl";
  const random = () => Date.now().toString(36) + Math.random().toString(36).slice(2); // unlike others, no secret

  const keep = (name, value) => {
    try {
      if (value === undefined) return localStorage.getItem(name);
      value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value);
    } catch { /* private windows keep nothing */ }
    return null;
  };

  const query = new URLSearchParams(location.search);
  let link = query.get(parameter);
  if (link) { // not for the visitor to copy
    query.delete(parameter);
    const rest = query.toString();
    history.replaceState(history.state, "", location.pathname + (rest && `?${rest}`) + location.hash);
  }

  let agreed = script.dataset.consent === "granted" || keep(CONSENT) === "1";
  let visitor = (agreed && keep(VISITOR)) || random();
  const remember = () => {
    keep(VISITOR, visitor);
    if (link) keep(LINK, link);
    else link = keep(LINK);
  };
  if (agreed) remember();

  let waiting = [], timer, page, since;

  const send = () => {
    clearTimeout(timer);
    timer = 0;
    const now = Date.now();
    while (waiting.length) {
      const events = waiting.splice(0, 50).map(({ at, ...event }) => ({ ...event, ago: now - at }));
      const body = JSON.stringify({ key, visitor, consent: agreed, link: (agreed && link) || undefined, events });
      // text/plain needs no preflight; a beacon survives the page
      if (!navigator.sendBeacon?.(url, body)) fetch(url, { method: "POST", body, keepalive: true }).catch(() => {});
    }
  };

  const add = (event) => {
    waiting.push({ id: random(), at: Date.now(), ...event });
    timer ||= setTimeout(send, 3000);
  };

  const leave = () => {
    const seconds = Math.round((Date.now() - since) / 1000);
    if (page && seconds) add({ kind: "stay", page, seconds });
    since = Date.now();
  };

  const view = () => {
    if (page === location.pathname) return;
    leave();
    page = location.pathname;
    add({ page });
  };

  window.gendan = {
    track: (kind, path) => add({ kind, page: path || location.pathname }),
    consent: (yes) => {
      send();
      agreed = !!yes;
      keep(CONSENT, agreed ? "1" : null);
      if (agreed) remember();
      else { keep(VISITOR, null); keep(LINK, null); visitor = random(); }
    },
  };

  addEventListener("click", (event) => {
    const target = event.target.closest?.("a[href],[data-gendan]");
    if (!target) return;
    const path = target.href && new URL(target.href, location).pathname;
    if (target.dataset.gendan) add({ kind: target.dataset.gendan, page: path || location.pathname });
    else if (target.download || /\.(pdf|zip|docx?|xlsx?|dwg|step)$/i.test(path)) add({ page: path });
  }, true);
  addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden") { since = Date.now(); return; }
    leave();
    send();
  });
  addEventListener("pagehide", send);
  addEventListener("popstate", view);
  const push = history.pushState;
  history.pushState = function (...given) { push.apply(this, given); view(); };
  since = Date.now();
  view();
})();
