// Makes elements. Text only ever becomes text: nothing that a stranger sent is read as markup.

export const element = (id) => document.getElementById(id);

/** An element with a class and children; strings become text nodes. */
export function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A button that copies a text, and says so. */
export function copyButton(text, what) {
  const button = make("button", "copy", `Copy ${what}`);
  button.type = "button";
  button.addEventListener("click", async () => {
    const copied = await copy(text);
    button.textContent = copied ? "Copied" : "Select it and copy";
    announce(copied ? `The ${what} is copied.` : "The browser did not let it be copied.");
    setTimeout(() => { button.textContent = `Copy ${what}`; }, 2000);
  });
  return button;
}

/** Say something to those who listen rather than look. */
export function announce(text) {
  element("spoken").textContent = text;
}

async function copy(text) {
  try {
    // Only where the page is a secure context: loopback is, another address over plain HTTP is not.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

function copyBySelection(text) {
  const area = make("textarea", "unseen");
  area.value = text;
  document.body.append(area);
  area.select();
  try {
    return document.execCommand("copy");
  } finally {
    area.remove();
  }
}
