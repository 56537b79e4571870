// The list: live places, keys, selection. Rows never move under the pointer.
import { localTimes, progressed, say, tell } from "./words.js";
import { hear } from "./stream.js";
import { ask, onKey, perform } from "./manner.js";

const calm = 250;
// More changed places than this in one pass are told as a sum and fetched when it is calmer.
const most = 12;
const many = 60;

export function start() {
    const list = document.querySelector("[data-list]");
    const view = list?.dataset.list ?? "posters";
    const place = id => document.getElementById(`v-${id}`);
    const places = () => [...document.querySelectorAll("[data-id]:not([hidden])")];
    const unseen = new Set();
    const changed = new Set();
    const progress = new Map();
    let waiting = null;
    let extra = 0;
    let busy = false;

    hear(({ kind, data }) => {
        if (kind === "again") {
            places().filter(one => ["waiting", "running"].includes(one.dataset.state)).forEach(one => changed.add(one.dataset.id));
        } else if (kind === "video.progress") {
            if (place(data.id)) {
                progress.set(data.id, data);
            }
        } else if (kind === "video.preview") {
            preview(place(data.id), data);
        } else if (place(data.id)) {
            changed.add(data.id);
            progress.delete(data.id);
        } else if (kind === "video.queued") {
            if (unseen.size < 1000) {
                unseen.add(data.id);
            } else {
                extra++;
            }
        }
        waiting ??= setTimeout(pass, calm);
    });

    async function pass() {
        waiting = null;
        for (const [id, data] of progress) {
            progressed(place(id), data);
        }
        progress.clear();
        // Only the whole list shows everything that comes.
        const news = document.querySelector("[data-news]");
        if (unseen.size && news) {
            news.hidden = false;
            news.firstElementChild.textContent = say("added", unseen.size + extra);
        }
        if (changed.size > many || busy) {
            busy = changed.size > many;
            tell(busy ? say("many", changed.size) : "");
        }
        const now = [...changed].slice(0, most);
        now.forEach(id => changed.delete(id));
        await Promise.all(now.map(renew));
        if (changed.size) {
            waiting ??= setTimeout(pass, calm * 4);
        }
    }

    async function renew(id) {
        const old = place(id);
        const answer = await fetch(`/videos/${id}/item?view=${view}`).catch(() => null);
        if (answer?.status === 404) {
            // It keeps its place: whoever deleted it may take that back.
            old?.setAttribute("hidden", "");
        } else if (answer?.ok && old) {
            const holder = document.createElement("template");
            holder.innerHTML = await answer.text();
            const fresh = holder.content.querySelector("[data-id]");
            fresh.querySelector("[data-pick]").checked = old.querySelector("[data-pick]")?.checked ?? false;
            fresh.classList.toggle("at", old.classList.contains("at"));
            localTimes(fresh);
            const focused = old.contains(document.activeElement);
            old.replaceWith(fresh);
            if (focused) {
                fresh.querySelector("[data-open]").focus();
            }
        }
    }

    function preview(one, data) {
        const picture = one?.querySelector("[data-preview]");
        if (picture) {
            picture.src = `data:${data.content_type};base64,${data.data}`;
            picture.hidden = false;
        }
    }

    // What is looked at plays.
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const begin = event => {
        const card = event.target.closest?.(".card.done");
        const poster = card?.querySelector(".poster");
        if (!poster || poster.querySelector("video") || still.matches || !poster.querySelector("img[src]")) {
            return;
        }
        const video = Object.assign(document.createElement("video"), { muted: true, loop: true, autoplay: true, playsInline: true });
        video.src = `/v1/videos/${card.dataset.id}/content`;
        video.setAttribute("aria-hidden", "true");
        poster.append(video);
    };
    const end = event => {
        const card = event.target.closest?.(".card");
        if (card && !card.contains(event.relatedTarget)) {
            card.querySelector(".poster video")?.remove();
        }
    };
    document.addEventListener("pointerover", begin);
    document.addEventListener("focusin", begin);
    document.addEventListener("pointerout", end);
    document.addEventListener("focusout", end);

    // Selection, and what is done to it.
    const form = document.querySelector("[data-picked]");
    const picked = () => [...document.querySelectorAll("[data-pick]:checked")].map(box => box.value);
    const count = () => {
        const some = picked().length;
        document.body.classList.toggle("picking", some > 0);
        if (form) {
            form.hidden = some === 0;
            form.querySelector("[data-picked-count]").textContent = say("picked", some);
            form.querySelector("[value=compare]").hidden = some !== 2;
        }
    };
    document.addEventListener("change", event => event.target.matches("[data-pick]") && count());
    count();
    form?.addEventListener("submit", event => {
        if (form.elements.all?.checked || event.submitter.value === "compare") {
            return; // The next page counts them and asks, or shows both.
        }
        event.preventDefault();
        does(event.submitter.value, picked());
    });
    const does = (name, ids) => perform(name, ids, done => {
        done.forEach(id => changed.add(id));
        document.querySelectorAll("[data-pick]:checked").forEach(box => { box.checked = false; });
        count();
        waiting ??= setTimeout(pass, 0);
    });

    // Keys
    let at = -1;
    const current = () => document.querySelector(".at[data-id]");
    const move = by => () => {
        const all = places();
        at = Math.max(0, Math.min(all.length - 1, (current() ? all.indexOf(current()) : -1) + by));
        current()?.classList.remove("at");
        all[at]?.classList.add("at");
        all[at]?.querySelector("[data-open]").focus({ preventScroll: true });
        all[at]?.scrollIntoView({ block: "nearest" });
    };
    const chosen = () => picked().length ? picked() : current() ? [current().dataset.id] : [];
    onKey("j", move(1));
    onKey("k", move(-1));
    onKey("Enter", () => current() && !document.activeElement.closest("a, button, summary") ? current().querySelector("[data-open]").click() : false);
    onKey("v", () => document.querySelector("[data-view]")?.click());
    onKey("x", () => {
        const box = current()?.querySelector("[data-pick]");
        if (box) {
            box.checked = !box.checked;
            count();
        }
    });
    onKey("s", async () => {
        const one = current();
        if (form && one) {
            await ask("PATCH", `/v1/videos/${one.dataset.id}`, { metadata: { star: one.dataset.star ? null : "true" } });
            changed.add(one.dataset.id);
            waiting ??= setTimeout(pass, 0);
        }
    });
    onKey("u", () => { if (current()) { location.href = `/new?from=${current().dataset.id}`; } });
    for (const [key, name] of [["c", "cancel"], ["r", "retry"], ["d", "delete"]]) {
        onKey(key, () => form && chosen().length && does(name, chosen()));
    }
}
