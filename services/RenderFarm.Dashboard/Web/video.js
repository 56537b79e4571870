// One video: frames one by one, two in step, and what becomes of it while it renders.
import { about, say } from "./words.js";
import { hear } from "./stream.js";
import { onKey } from "./manner.js";

export function start(page) {
    const id = page.dataset.video;
    const open = ["waiting", "running"].includes(page.dataset.state);
    if (open) {
        watch();
    }
    document.addEventListener("renderfarm-acted", ({ detail }) => {
        if (detail.ids.includes(id)) {
            setTimeout(() => detail.name === "delete" ? location.assign("/videos") : location.reload(), detail.name === "delete" ? 8000 : 600);
        }
    });

    // Previews come on the video's own stream: only who looks at it asks for them.
    function watch() {
        const source = new EventSource(`/v1/videos/${id}/events?preview=true`);
        source.addEventListener("video.preview", event => {
            const data = JSON.parse(event.data);
            const picture = page.querySelector("[data-preview]");
            picture.src = `data:${data.content_type};base64,${data.data}`;
            picture.hidden = false;
        });
        addEventListener("pagehide", () => source.close());
    }

    hear(({ kind, data }) => {
        if (kind === "again") {
            if (open) {
                location.reload();
            }
        } else if (data.id !== id) {
            return;
        } else if (kind === "video.progress") {
            const bar = page.querySelector("[data-progress]");
            if (bar) {
                bar.value = data.progress;
            }
            const eta = page.querySelector("[data-eta]");
            if (eta && data.eta_seconds != null) {
                eta.textContent = about(data.eta_seconds);
            }
            const word = page.querySelector("[data-word]");
            if (word && data.stage === "denoising") {
                word.textContent = word.textContent.replace(/ ?\d*\/?\d*$/, "") + ` ${data.step}/${data.steps}`;
            }
        } else if (kind !== "video.preview" && kind !== "video.expired") {
            location.reload();
        }
    });

    const use = document.querySelector("[data-use]");
    onKey("u", () => use?.click());
    for (const [key, name] of [["c", "cancel"], ["r", "retry"], ["d", "delete"]]) {
        onKey(key, () => page.querySelector(`form[data-act="${name}"]`)?.requestSubmit());
    }
    const players = [...page.querySelectorAll("[data-player]")];
    if (players.length) {
        player(page, players);
    }
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
    const toggle = () => first.paused ? videos.forEach(video => video.play()) : videos.forEach(video => video.pause());
    for (const button of bar.querySelectorAll("[data-step]")) {
        button.onclick = () => step(Number(button.dataset.step));
    }
    play.onclick = toggle;
    bar.querySelector("[data-loop]").onchange = event => videos.forEach(video => { video.loop = event.target.checked; });
    first.onplay = first.onpause = () => { play.textContent = say(first.paused ? "play" : "pause"); };
    first.ontimeupdate = first.onseeked = first.onloadedmetadata = show;
    show();

    // Whatever is done to the first is done to the others.
    first.addEventListener("seeked", () => {
        for (const other of videos.slice(1)) {
            if (Math.abs(other.currentTime - first.currentTime) > .04) {
                other.currentTime = first.currentTime;
            }
        }
    });
    first.addEventListener("play", () => videos.slice(1).forEach(video => video.play()));
    first.addEventListener("pause", () => videos.slice(1).forEach(video => video.pause()));
    onKey(",", () => step(-1));
    onKey(".", () => step(1));
    onKey(" ", event => event.target.closest("button, a, summary, video") ? false : toggle());
}
