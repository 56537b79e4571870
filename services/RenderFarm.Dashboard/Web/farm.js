// The farm's cards and queue, drawn anew when something has happened, and every so often for what no event tells.
import { hear, signedOut } from "./stream.js";
import { localTimes } from "./words.js";

const calm = 1500;
const often = 10000;

export function start(place) {
    let waiting = null;
    let last = 0;

    const soon = () => {
        waiting ??= setTimeout(pass, Math.max(calm, last + calm - Date.now()));
    };
    // Nothing is taken away from under somebody who is at it.
    const isHeld = () =>
        place.contains(document.activeElement) || place.querySelector("details.filter[open], button:hover, summary:hover") !== null;

    async function pass() {
        waiting = null;
        last = Date.now();
        if (document.hidden || isHeld()) {
            return;
        }
        const answer = await fetch("/farm/live").catch(() => null);
        // Who is signed in no more is led to the page that says so
        if (answer?.redirected) {
            signedOut();
            return;
        }
        if (!answer?.ok || isHeld()) {
            return;
        }
        const holder = document.createElement("template");
        holder.innerHTML = await answer.text();
        for (const open of place.querySelectorAll("details[data-keep][open]")) {
            const same = holder.content.querySelector(`details[data-keep="${CSS.escape(open.dataset.keep)}"]`);
            if (same) {
                same.open = true;
            }
        }
        localTimes(holder.content);
        place.replaceChildren(holder.content);
    }

    hear(({ kind }) => kind !== "video.preview" && soon());
    setInterval(soon, often);
    document.addEventListener("visibilitychange", () => document.hidden || soon());
}
