// The form of a new video: what it would take while somebody types, pictures by drop and paste, and nothing typed is lost.
import { csrf, say } from "./words.js";
import { signedOut } from "./stream.js";

const kept = "renderfarm-new";
const settled = 400;
const quiet = ["csrf", "act", "size_chip", "seconds_chip", "size_drawn", "seconds_drawn"];

export function start(form) {
    const field = name => form.elements[name];
    const outlook = form.querySelector("[data-outlook]");
    const models = new Map([...form.querySelectorAll("[data-model]")].map(one => [one.value, JSON.parse(one.dataset.model)]));
    const model = () => models.get(form.querySelector("[data-model]:checked")?.value);
    form.querySelector("[data-plan]").hidden = true;
    form.querySelector("[data-tools]").hidden = false;

    // What was typed stays through reload, expiry and restart.
    const typed = () => Object.fromEntries([...new FormData(form)].filter(([name, value]) => !quiet.includes(name) && typeof value === "string" && value));
    const keep = () => sessionStorage.setItem(kept, JSON.stringify(typed()));
    const fill = values => {
        for (const [name, value] of Object.entries(values)) {
            const at = field(name);
            if (!at) {
                continue;
            }
            if (at instanceof RadioNodeList) {
                [...at].forEach(one => { one.checked = one.value === value; });
            } else if (at.type === "checkbox") {
                at.checked = value === at.value;
            } else if (at.type !== "file") {
                at.value = value;
            }
        }
        chips();
    };
    const note = form.querySelector("[data-kept]");
    const before = JSON.parse(sessionStorage.getItem(kept) ?? "null");
    if (before?.prompt && !location.search && !field("prompt").value) {
        fill(before);
        note.hidden = false;
    }
    form.querySelector("[data-forget]").onclick = () => {
        sessionStorage.removeItem(kept);
        location.assign("/new");
    };

    // Chips fill their field, and a model brings its own.
    function chips() {
        const now = model();
        for (const name of ["size", "seconds"]) {
            const value = field(name).value || now?.[name];
            for (const chip of form.querySelectorAll(`[data-fills="${name}"]`)) {
                chip.checked = chip.value === value;
            }
        }
        for (const name of ["size", "seconds", "frames", "fps", "steps", "guidance_scale", "shift"]) {
            if (now) {
                field(name).placeholder = now[name];
            }
        }
        for (const name of ["input_reference", "last_frame"]) {
            form.querySelector(`#f-${name}`).closest(".field").hidden = now ? !now.takes.includes(name) : false;
        }
        const differs = ["frames", "fps", "steps", "guidance_scale", "shift", "sampler", "quality", "seed", "priority"].filter(name => field(name).value && field(name).value !== String(now?.[name]));
        form.querySelector("[data-differs]").textContent = differs.length
            ? say("differs", differs.map(name => `${form.querySelector(`label[for="f-${name}"]`).textContent} ${field(name).value}`).join(", ")) : "";
        form.querySelector("[data-note]").textContent = now?.note ?? "";
    }
    function sizes() {
        const holder = form.querySelector("[data-sizes]");
        const now = model();
        if (!now) {
            return;
        }
        holder.querySelectorAll(".chip").forEach(chip => chip.remove());
        for (const size of now.sizes) {
            const chip = document.createElement("label");
            chip.className = "chip";
            const box = Object.assign(document.createElement("input"), { type: "radio", name: "size_chip", value: size });
            box.dataset.fills = "size";
            chip.append(box, size);
            holder.append(chip);
        }
    }

    let wait;
    let asked = 0;
    form.addEventListener("input", event => {
        const { fills } = event.target.dataset;
        if (fills) {
            field(fills).value = event.target.value === model()?.[fills] ? "" : event.target.value;
            if (fills === "seconds") {
                field("frames").value = "";
            }
        }
        if (event.target.matches("[data-model]")) {
            field("size").value = "";
            sizes();
        }
        event.target.closest(".field")?.querySelector(".fault")?.remove();
        event.target.removeAttribute("aria-invalid");
        chips();
        keep();
        note.hidden = true;
        clearTimeout(wait);
        wait = setTimeout(plan, settled);
    });

    async function plan() {
        const turn = ++asked;
        const body = new FormData(form);
        body.delete("input_reference");
        body.delete("last_frame");
        const answer = await fetch("/new/plan", { method: "POST", body, headers: { "x-renderfarm-csrf": csrf } }).catch(() => null);
        if (turn !== asked) {
            return; // Somebody has typed on.
        }
        if (answer?.status === 401) {
            signedOut();
        } else if (answer?.ok) {
            outlook.innerHTML = await answer.text();
        }
    }

    // Sent in place, so that a refusal or an expired session costs nothing that was typed.
    form.addEventListener("submit", async event => {
        event.preventDefault();
        const button = form.querySelector("[data-send]");
        button.setAttribute("aria-busy", "true");
        button.disabled = true;
        const body = new FormData(form);
        body.set("act", "send");
        const answer = await fetch("/new", { method: "POST", body }).catch(() => null);
        button.removeAttribute("aria-busy");
        button.disabled = false;
        if (answer?.redirected && !new URL(answer.url).pathname.startsWith("/sign-in")) {
            sessionStorage.removeItem(kept);
            location.assign(answer.url);
        } else if (answer?.status === 401 || answer?.redirected) {
            keep();
            signedOut();
        } else if (answer) {
            refused(new DOMParser().parseFromString(await answer.text(), "text/html"));
        } else {
            outlook.textContent = say("lost");
        }
    });

    function refused(page) {
        form.querySelectorAll(".fault:not(.plan)").forEach(one => one.remove());
        for (const fault of page.querySelectorAll(".fault")) {
            const name = fault.closest(".field")?.querySelector("[name]")?.name;
            const here = name && form.querySelector(`#f-${name}`);
            if (here) {
                here.after(fault);
                here.setAttribute("aria-invalid", "true");
                here.closest("details")?.setAttribute("open", "");
                here.focus();
            } else {
                form.querySelector("[data-refusals]").replaceChildren(fault);
            }
        }
    }

    // Pictures: dropped, pasted, chosen.
    for (const input of form.querySelectorAll("[data-picture]")) {
        const box = input.closest(".field");
        const shows = box.querySelector("[data-shows]");
        const show = () => {
            URL.revokeObjectURL(shows.src);
            shows.hidden = !input.files.length;
            if (input.files.length) {
                shows.src = URL.createObjectURL(input.files[0]);
            }
        };
        const take = files => {
            const picture = [...files].find(file => file.type.startsWith("image/"));
            if (picture) {
                const transfer = new DataTransfer();
                transfer.items.add(picture);
                input.files = transfer.files;
                show();
            }
            return Boolean(picture);
        };
        input.addEventListener("change", show);
        box.addEventListener("dragover", event => { event.preventDefault(); box.classList.add("over"); });
        box.addEventListener("dragleave", () => box.classList.remove("over"));
        box.addEventListener("drop", event => { event.preventDefault(); box.classList.remove("over"); take(event.dataTransfer.files); });
        if (input.name === "input_reference") {
            document.addEventListener("paste", event => take(event.clipboardData.files) && event.preventDefault());
        }
    }

    // Settings as a file.
    form.querySelector("[data-export]").onclick = () => {
        const link = document.createElement("a");
        link.href = URL.createObjectURL(new Blob([JSON.stringify(typed(), null, 2)], { type: "application/json" }));
        link.download = "video-settings.json";
        link.click();
        URL.revokeObjectURL(link.href);
    };
    form.querySelector("[data-import]").onchange = async event => {
        fill(JSON.parse(await event.target.files[0].text()));
        keep();
        plan();
    };
    chips();
    plan();
}
