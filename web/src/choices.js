// The lists that the page offers: dialects, vocabularies, examples, and the form of views.
import inventory from "../../examples/inventory.py?raw";
import twoSum from "../../examples/two_sum.py?raw";

export const EXAMPLES = { "two_sum.py": twoSum, "inventory.py": inventory };
export const VOCABULARIES = { o200k_base: "o200k (GPT-4o)", cl100k_base: "cl100k (GPT-4)" };

/** Fill a select with values and what they are called. */
export function fill(select, choices, chosen) {
  select.replaceChildren(...Object.entries(choices).map(([value, name]) => new Option(name, value, false, value === chosen)));
}

/** The form of views, one field for each that the toolchain has. */
export class ViewForm {
  constructor(form, kinds, changed) {
    this.form = form;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.replaceChildren(...kinds.map(field), numbersField());
    form.addEventListener("input", changed);
  }

  /** The views that are asked for, as `simpy view --view` takes them. */
  get views() {
    return [...this.form.querySelectorAll("[data-view]")].flatMap((input) => {
      if (input.type === "checkbox") return input.checked ? [input.dataset.view] : [];
      return input.value.trim() ? [`${input.dataset.view}=${input.value.trim()}`] : [];
    });
  }

  set views(views) {
    for (const input of this.form.querySelectorAll("[data-view]")) {
      const found = views.find((view) => view.split("=")[0] === input.dataset.view);
      if (input.type === "checkbox") input.checked = found !== undefined;
      else input.value = found?.slice(input.dataset.view.length + 1) ?? "";
    }
  }

  get numbers() {
    return this.form.elements.numbers.value;
  }

  set numbers(value) {
    this.form.elements.numbers.value = value;
  }
}

function field({ name, spelled, help, value }) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  const text = document.createElement("span");
  Object.assign(input, value === null ? { type: "checkbox" } : { type: "text", placeholder: value[0], autocomplete: "off", spellcheck: false });
  input.dataset.view = name;
  text.textContent = value === null ? name : `${name}=`;
  label.className = value === null ? "check" : "field";
  label.title = `${spelled}: ${help}`;
  label.append(...(value === null ? [input, text] : [text, input]));
  return label;
}

function numbersField() {
  const label = document.createElement("label");
  const select = document.createElement("select");
  const text = document.createElement("span");
  label.className = "field";
  select.name = "numbers";
  text.textContent = "Line numbers";
  fill(select, { definitions: "at definitions", all: "at all lines", none: "none" }, "definitions");
  label.append(text, select);
  return label;
}
