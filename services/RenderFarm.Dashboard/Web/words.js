// Sentences in the page's language, and figures as people say them.
const meta = name => document.querySelector(`meta[name="renderfarm-${name}"]`)?.content ?? "";
const texts = JSON.parse(meta("texts") || "{}");

export const csrf = meta("csrf");

// The farm's clock: the browser's may be off.
const ahead = Number(meta("now")) - Date.now();
export const now = () => Date.now() + ahead;

export const say = (name, ...values) => values.reduce((text, value, i) => text.replace(`{${i}}`, value), texts[name] ?? name);

export const about = seconds =>
    seconds < 1 ? say("moment")
    : seconds < 90 ? say("about_s", Math.round(seconds))
    : seconds < 5400 ? say("about_min", Math.round(seconds / 60))
    : say("about_h", Math.round(seconds / 360) / 10);

export function localTimes(root) {
    const form = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    for (const time of root.querySelectorAll("time[data-time]")) {
        const at = new Date(time.dateTime);
        time.textContent = form.format(at);
        time.title = at.toISOString();
    }
}

// What a video's progress changes of its place; its state is the page's to draw anew.
export function progressed(place, data) {
    if (place?.dataset.state !== "running") {
        return;
    }
    const bar = place.querySelector("[data-progress]");
    if (bar) {
        bar.value = data.progress;
    }
    const eta = place.querySelector("[data-eta]");
    if (eta && data.eta_seconds != null) {
        eta.textContent = about(data.eta_seconds);
    }
    const word = place.querySelector("[data-word]");
    if (word) {
        word.textContent = say(`stage.${data.stage}`) + (data.stage === "denoising" ? ` ${data.step}/${data.steps}` : "");
    }
}

// The sentence in the row on top: the page's own troubles.
export function tell(text, link) {
    const line = document.querySelector("[data-say]");
    if (!line) {
        return;
    }
    line.dataset.own ??= line.innerHTML;
    line.classList.toggle("warning", Boolean(text));
    if (!text) {
        line.innerHTML = line.dataset.own;
        delete line.dataset.own;
        return;
    }
    line.textContent = text;
    if (link) {
        const a = Object.assign(document.createElement("a"), { href: link.href, textContent: link.text });
        line.append(" ", a);
    }
}
