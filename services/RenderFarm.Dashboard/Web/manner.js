// What every page does alike: actions without leaving it, an undo line, keys.
import { csrf, say, tell } from "./words.js";
import { signedOut } from "./stream.js";

export const undoFor = 8000;
const typing = event => event.target.closest("input, textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;

// The same request that anybody makes; a refusal comes back as { refusal }: a video has an error of its own.
export async function ask(method, path, body) {
    let answer;
    try {
        answer = await fetch(path, {
            method,
            headers: { "x-renderfarm-csrf": csrf, ...(body ? { "content-type": "application/json" } : {}) },
            body: body ? JSON.stringify(body) : undefined,
        });
    } catch {
        return { refusal: { message: say("lost") } };
    }
    if (answer.status === 401) {
        signedOut();
    }
    const data = await answer.json().catch(() => ({}));
    return answer.ok ? { data } : { refusal: data.error ?? { message: String(answer.status) } };
}

export const act = (name, id) => name === "delete" ? ask("DELETE", `/v1/videos/${id}`) : ask("POST", `/v1/videos/${id}/${name}`);

const said = { cancel: "cancelled", retry: "retried", delete: "deleted", undelete: "undone" };
const undoes = { delete: "undelete", cancel: "retry" };

// Does it, says so, and offers to take it back where that can be.
export async function perform(name, ids, after) {
    const answers = await Promise.all(ids.map(id => act(name, id)));
    const failed = answers.find(answer => answer.refusal);
    const done = ids.filter((_, i) => !answers[i].refusal);
    after?.(done, name);
    undo(failed ? failed.refusal.message : say(said[name]), done.length && undoes[name] ? () => perform(undoes[name], done, after) : null);
}

let fades;
export function undo(text, back) {
    const line = document.querySelector("[data-undo]");
    clearTimeout(fades);
    line.textContent = text;
    if (back) {
        const button = Object.assign(document.createElement("button"), { type: "button", textContent: say("undo") });
        button.onclick = back;
        line.append(button);
    }
    line.hidden = false;
    fades = setTimeout(() => { line.hidden = true; }, undoFor);
}

// Forms of one action: done in place, or sent as they are where there is no script.
export function acts() {
    document.addEventListener("submit", event => {
        const form = event.target.closest("form[data-act]");
        const match = form?.getAttribute("action").match(/^\/videos\/([^/]+)\/(cancel|retry|delete)$/);
        if (!match) {
            return;
        }
        event.preventDefault();
        const button = form.querySelector("button");
        button.setAttribute("aria-busy", "true");
        perform(match[2], [match[1]], (done, name) => {
            button.removeAttribute("aria-busy");
            document.dispatchEvent(new CustomEvent("renderfarm-acted", { detail: { name, ids: done } }));
        });
    });
    document.addEventListener("click", event => {
        const copy = event.target.closest("[data-copy]");
        if (copy) {
            navigator.clipboard?.writeText(copy.dataset.copy).then(() => undo(say("copied")));
        }
        for (const open of document.querySelectorAll("details.who[open], details.filter[open]")) {
            if (!open.contains(event.target)) {
                open.open = false;
            }
        }
    });
}

const keys = new Map();
export const onKey = (key, does) => keys.set(key, does);

export function searchKeys() {
    const list = document.querySelector("[data-keys]");
    const opener = document.querySelector("[data-keys-open]");
    const go = href => () => { location.href = href; };
    if (opener) {
        opener.hidden = false;
        opener.onclick = () => list.showModal();
    }
    onKey("?", () => list.showModal());
    onKey("/", () => document.querySelector("[data-search]")?.focus());
    if (document.querySelector('a[href="/new"]')) {
        onKey("n", go("/new"));
    }
    document.addEventListener("keydown", event => {
        const does = !typing(event) && !document.querySelector("dialog[open]") && keys.get(event.key);
        if (does && does(event) !== false) {
            event.preventDefault();
        }
    });
}

export { tell };
