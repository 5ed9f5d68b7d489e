// Small helpers to build the page's controls.
export const h = (tag, props = {}, ...children) => {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) node[key] = value;
    else if (key in node && !key.startsWith("aria")) node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((c) => c !== null));
  return own(node);
};
// Keys in here are none of the notebook's commands. Notebook 7 looks for them before the page does, from the focus outwards, so what can have the focus must say so itself.
export const own = (node) => {
  if (node.tabIndex >= 0 || /^(BUTTON|SUMMARY)$/.test(node.tagName)) node.setAttribute("data-lm-suppress-shortcuts", "true");
  return node;
};
export const bytesOf = (view) => (view ? new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength) : new Uint8Array());

// Buttons of which one is pressed; `value()` tells which.
export function choice(label, options, value, pick) {
  const buttons = options.map(([name, text, title]) => h("button", { type: "button", textContent: text, title, "data-name": name, onclick: () => pick(name) }));
  const node = h("div", { className: "vk-choice", role: "group", "aria-label": label }, ...buttons);
  return { node, update: () => buttons.forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.name === String(value())))) };
}
export const button = (text, title, onclick, props = {}) => h("button", { type: "button", textContent: text, title, onclick, ...props });
