// One video: frames one by one, two in step, and what becomes of it while it renders.
import { localTimes, progressed, say } from "./words.js";
import { hear } from "./stream.js";
import { onKey, undoFor } from "./manner.js";

const calm = 200;

export function start(page) {
    const id = page.dataset.video;
    const isOpen = () => ["waiting", "running"].includes(page.dataset.state);
    let previews = null;
    let leaving;
    let redrawing;
    attach();

    // Drawn anew in its place: what is typed into the page, and the undo line, stay.
    function redraw() {
        redrawing ??= setTimeout(async () => {
            redrawing = undefined;
            const answer = await fetch(location.href).catch(() => null);
            if (!answer?.ok || answer.redirected) {
                return;
            }
            const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-video]");
            if (!fresh) {
                return;
            }
            const typed = [...page.querySelectorAll("[data-stays]")].filter(one => one.open || one.contains(document.activeElement));
            const focused = document.activeElement;
            page.className = fresh.className;
            page.dataset.state = fresh.dataset.state;
            page.replaceChildren(...fresh.childNodes);
            for (const one of typed) {
                page.querySelector(`[data-stays="${one.dataset.stays}"]`)?.replaceWith(one);
            }
            if (typed.some(one => one.contains(focused))) {
                focused.focus();
            }
            localTimes(page);
            attach();
        }, calm);
    }

    function attach() {
        const players = [...page.querySelectorAll("[data-player]")];
        if (players.length) {
            player(page, players);
        }
        if (isOpen() && !previews) {
            // They come on the video's own stream: only who looks at it asks for them.
            previews = new EventSource(`/v1/videos/${id}/events?preview=true`);
            previews.addEventListener("video.preview", event => {
                const data = JSON.parse(event.data);
                const picture = page.querySelector("[data-preview]");
                if (picture) {
                    picture.src = `data:${data.content_type};base64,${data.data}`;
                    picture.hidden = false;
                }
            });
        } else if (!isOpen() && previews) {
            previews.close();
            previews = null;
        }
    }

    addEventListener("pagehide", () => previews?.close());
    document.addEventListener("renderfarm-acted", ({ detail }) => {
        if (!detail.ids.includes(id)) {
            return;
        }
        clearTimeout(leaving);
        if (detail.name === "delete") {
            // While it can be taken back, the page stays.
            leaving = setTimeout(() => location.assign("/videos"), undoFor);
        } else {
            redraw();
        }
    });
    hear(({ kind, data }) => {
        if (kind === "again") {
            redraw();
        } else if (data.id === id && kind === "video.progress") {
            progressed(page, data);
        } else if (data.id === id && kind !== "video.preview") {
            redraw();
        }
    });

    onKey("u", () => page.querySelector("[data-use]")?.click());
    for (const [key, name] of [["c", "cancel"], ["r", "retry"], ["d", "delete"], ["s", "star"]]) {
        onKey(key, () => page.querySelector(`form[data-act="${name}"]`)?.requestSubmit());
    }
    const press = name => page.querySelector(`[data-bar]:not([hidden]) ${name}`)?.click();
    onKey(",", () => press("[data-step='-1']"));
    onKey(".", () => press("[data-step='1']"));
    onKey(" ", event => event.target.closest("button, a, summary, video") ? false : press("[data-play]"));
}

function player(page, players) {
    const videos = players.map(one => one.querySelector("video"));
    const first = videos[0];
    const fps = players.map(one => Number(one.dataset.fps) || 16);
    const bar = page.querySelector("[data-bar]");
    const shown = bar.querySelector("[data-frame]");
    const play = bar.querySelector("[data-play]");
    bar.hidden = false;
    const frame = () => Math.floor(first.currentTime * fps[0] + .001);
    const show = () => { shown.textContent = `${Math.min(frame() + 1, Number(players[0].dataset.frames))} / ${players[0].dataset.frames}`; };

    // The middle of a frame: its edges round to either side.
    const step = by => {
        videos.forEach(video => video.pause());
        const to = Math.max(0, frame() + by);
        videos.forEach((video, i) => { video.currentTime = Math.min((to + .5) / fps[i], Math.max((video.duration || 0) - .001, 0)); });
    };
    for (const button of bar.querySelectorAll("[data-step]")) {
        button.onclick = () => step(Number(button.dataset.step));
    }
    play.onclick = () => videos.forEach(first.paused ? video => video.play() : video => video.pause());
    bar.querySelector("[data-loop]").onchange = event => videos.forEach(video => { video.loop = event.target.checked; });
    first.onplay = first.onpause = () => {
        play.textContent = say(first.paused ? "play" : "pause");
        // Whatever is done to the first is done to the others.
        videos.slice(1).forEach(first.paused ? video => video.pause() : video => video.play());
    };
    first.ontimeupdate = first.onloadedmetadata = show;
    first.onseeked = () => {
        show();
        for (const other of videos.slice(1)) {
            if (Math.abs(other.currentTime - first.currentTime) > .04) {
                other.currentTime = first.currentTime;
            }
        }
    };
    show();
}
