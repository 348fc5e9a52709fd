// Before the first paint, or a page in the other scheme would flash.
const chosen = (() => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null; // storage is blocked
  }
})();
if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
