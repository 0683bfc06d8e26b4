// The big screen: told by the server when something changed, and turning its pages by itself.

const main = document.querySelector("[data-screen]");
const state = document.querySelector("[data-live]");
const TURN_MS = 20_000;
const AGAIN_MS = 10_000;

/** Only our own server speaks here, and what it says was rendered by the same templates. */
function follow() {
  const source = new EventSource(main.dataset.screen);
  source.addEventListener("screen", (event) => {
    const page = new DOMParser().parseFromString(event.data, "text/html");
    for (const fresh of page.querySelectorAll("[data-part]")) {
      const part = main.querySelector(`[data-part="${fresh.dataset.part}"]`);
      if (part && part.innerHTML !== fresh.innerHTML) part.replaceWith(document.adoptNode(fresh));
    }
    document.dispatchEvent(new Event("screenchange"));
  });
  source.addEventListener("open", () => tell("online", "实时"));
  source.addEventListener("error", async () => {
    tell("waiting", "正在重连");
    if (source.readyState !== EventSource.CLOSED) return;
    // Where the server answered with an error the browser gives up, and on a wall nobody reloads.
    if (await isSignedOut()) location.reload();
    else setTimeout(follow, AGAIN_MS);
  });
}

async function isSignedOut() {
  const enough = new AbortController();
  try {
    const { status } = await fetch(main.dataset.screen, { signal: enough.signal });
    return status === 401 || status === 403;
  } catch {
    return false;
  } finally {
    enough.abort();
  }
}
follow();

function tell(how, words) {
  state.dataset.live = how;
  state.lastElementChild.textContent = words;
}

/** Where not all panels fit on the wall at once, they take turns; or one is chosen and stays. */
let place = 0;
let chosen = false;
const onWall = getComputedStyle(main).getPropertyValue("--takes-turns").trim() === "1";
const turns = onWall ? 1 + Math.max(...[...main.querySelectorAll("[data-of]")].map((one) => Number(one.dataset.of))) : 1;
const keys = [...Array(turns).keys()].map((turn) => {
  const key = document.createElement("button");
  key.type = "button";
  key.textContent = turn + 1;
  key.addEventListener("click", () => {
    chosen = true;
    show(turn);
  });
  return key;
});
if (turns > 1) document.querySelector(".turn-keys").replaceChildren(...keys);
show(0);

function show(next) {
  place = next % turns;
  main.dataset.turn = place;
  keys.forEach((key, turn) => key.setAttribute("aria-pressed", String(turn === place)));
  document.dispatchEvent(new Event("screenchange"));
}
setInterval(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (turns > 1 && !chosen && !calm && !document.hidden) show(place + 1);
}, TURN_MS);

document.querySelector("[data-fullscreen]")?.addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
});
