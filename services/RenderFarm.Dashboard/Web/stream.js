// One stream of the farm's events for all tabs of a browser: the tab that holds the lock listens and tells the others.
import { say, tell } from "./words.js";

const kinds = ["queued", "started", "completed", "failed", "cancelled", "expired", "deleted", "progress", "preview"].map(kind => `video.${kind}`);
const lookEvery = 15000;
const calm = 1000;
const placeKept = "renderfarm-place";
const placeGood = 10 * 60 * 1000;
const channel = new BroadcastChannel("renderfarm");
const hearers = new Set();
let source;

// Told of every event as { kind, data }; also of { kind: "again" } when some may have been missed.
export function hear(hearer) {
    hearers.add(hearer);
}

export function start() {
    channel.onmessage = ({ data }) => pass(data);
    if (navigator.locks) {
        // Held until the tab goes; then the next in line listens.
        navigator.locks.request("renderfarm-stream", () => new Promise(() => listen()));
    } else {
        listen();
    }
    queue();
    let soon;
    hear(({ kind }) => {
        if (kind !== "video.progress" && kind !== "video.preview") {
            soon ??= setTimeout(() => { soon = undefined; queue(); }, calm);
        }
    });
    setInterval(() => document.hidden || queue(), lookEvery);
    addEventListener("pagehide", () => source?.close());
    addEventListener("pageshow", event => event.persisted && location.reload());
}

// How the queue stands, where no trouble of the page's own stands.
async function queue() {
    const line = document.querySelector("[data-say]");
    const answer = await fetch("/queue-line").catch(() => null);
    if (answer?.status !== 200 || answer.redirected) {
        return;
    }
    const text = await answer.text();
    if (line.dataset.own === undefined) {
        line.innerHTML = text;
    } else {
        line.dataset.own = text;
    }
}

function pass(event) {
    if (event.kind === "state") {
        tell(event.text, event.link);
        return;
    }
    for (const hearer of hearers) {
        hearer(event);
    }
}

function share(event) {
    channel.postMessage(event);
    pass(event);
}

function place() {
    try {
        const kept = JSON.parse(localStorage.getItem(placeKept));
        return kept && Date.now() - kept.at < placeGood ? kept.id : null;
    } catch {
        return null;
    }
}

function listen() {
    const after = place();
    source = new EventSource("/v1/events" + (after ? `?after=${after}` : ""));
    let lost = false;
    source.onopen = () => {
        if (lost) {
            lost = false;
            share({ kind: "state", text: say("back_again") });
            share({ kind: "again" });
            setTimeout(() => lost || share({ kind: "state", text: "" }), 3000);
        }
    };
    source.onerror = () => {
        lost = true;
        share({ kind: "state", text: say("lost") });
        if (source.readyState === EventSource.CLOSED) {
            refused();
        }
    };
    for (const kind of kinds) {
        source.addEventListener(kind, event => {
            if (event.lastEventId) {
                localStorage.setItem(placeKept, JSON.stringify({ id: event.lastEventId, at: Date.now() }));
            }
            share({ kind, data: JSON.parse(event.data) });
        });
    }
}

// The browser does not come back by itself after a refusal.
async function refused() {
    const answer = await fetch("/v1/session").catch(() => null);
    if (answer?.status === 401) {
        signedOut();
        return;
    }
    setTimeout(listen, 5000);
}

export function signedOut() {
    const next = encodeURIComponent(location.pathname + location.search);
    share({ kind: "state", text: say("signed_out"), link: { href: `/sign-in?next=${next}`, text: say("sign_in") } });
}
