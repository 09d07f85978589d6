// What the page is set to, and the same as the fragment of its address: that part is never sent to a server.

export const DEFAULTS = {
  text: "",
  side: "python", // which text is the source: the one that was edited last
  dialect: "classic",
  vocabulary: "o200k_base",
  mode: "convert",
  views: [],
  numbers: "definitions",
  prove: true,
  colours: true,
};

const CHOICES = { side: ["python", "simpy"], mode: ["convert", "view"], numbers: ["definitions", "all", "none"] };

/** The fragment of some settings; what is as usual is left out. */
export async function toFragment(settings) {
  const parts = new URLSearchParams();
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    const value = settings[name];
    if (name === "text" || String(value) === String(usual)) continue;
    for (const one of [value].flat()) parts.append(name, typeof one === "boolean" ? Number(one) : one);
  }
  parts.set("text", await packed(settings.text));
  return `#${parts}`;
}

/** The settings of a fragment, over the usual ones; `null` if there are none, an error if they are damaged. */
export async function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment.replace(/^#/, ""));
  if (!parts.has("text")) return null;
  const settings = { ...DEFAULTS };
  for (const [name, usual] of Object.entries(DEFAULTS)) {
    if (!parts.has(name) || name === "text") continue;
    const value = parts.get(name);
    if (typeof usual === "boolean") settings[name] = value === "1";
    else if (Array.isArray(usual)) settings[name] = parts.getAll(name);
    else if (!CHOICES[name] || CHOICES[name].includes(value)) settings[name] = value;
  }
  settings.text = await unpacked(parts.get("text"));
  return settings;
}

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function packed(text) {
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"));
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

async function unpacked(text) {
  const bytes = Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
  return new TextDecoder("utf-8", { fatal: true }).decode(await through(bytes, new DecompressionStream("deflate-raw")));
}
