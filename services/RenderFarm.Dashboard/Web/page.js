// Where every page begins. A part is fetched when the page has a place for it.
import { start as listen } from "./stream.js";
import { localTimes } from "./words.js";
import { acts, searchKeys } from "./manner.js";

localTimes(document);
acts();
searchKeys();
const at = selector => document.querySelector(selector);
const parts = [];
if (at("[data-list]") || document.body.dataset.page === "videos") {
    parts.push(import("./list.js").then(part => part.start()));
}
if (at("[data-video]")) {
    parts.push(import("./video.js").then(part => part.start(at("[data-video]"))));
}
if (at("[data-new]")) {
    parts.push(import("./make.js").then(part => part.start(at("[data-new]"))));
}
if (at("[data-farm]")) {
    import("./farm.js").then(part => part.start(at("[data-farm]")));
}
if (at(".top")) {
    listen();
}
// From here on the page does what its scripts add.
Promise.all(parts).then(() => { document.documentElement.dataset.ready = "true"; });
