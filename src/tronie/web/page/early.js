// Before the first paint: the colours and the language that were chosen, so that nothing flashes.
(() => {
  const root = document.documentElement;
  let theme = null;
  let language = null;
  try {
    theme = localStorage.getItem("tronie.theme");
    language = localStorage.getItem("tronie.language");
  } catch {
    // Storage is forbidden here: the system's choice it is.
  }
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  const wanted = language ?? navigator.language;
  root.lang = wanted.toLowerCase().startsWith("ko") ? "ko" : "en";
})();
