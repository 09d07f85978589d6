// Light, dark, or what the system says. The choice is kept in this browser.

const KEY = "simpy-playground-theme";

function stored() {
  try {
    return localStorage.getItem(KEY) ?? "";
  } catch {
    return ""; // storage is switched off
  }
}

/** Let a select decide; it shows what was chosen last time. */
export function chooseTheme(select) {
  const apply = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  select.value = stored();
  apply(select.value);
  select.addEventListener("change", () => {
    apply(select.value);
    try {
      localStorage.setItem(KEY, select.value);
    } catch {
      // It holds until the page is closed.
    }
  });
}
