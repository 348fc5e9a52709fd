/** The front door: on to the first language of the reader's that there is. */
const wanted = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag === "de" || tag === "en");
location.replace(`${wanted ?? "en"}/${location.search}${location.hash}`);
