// Elements by hand: no markup is ever made from data, so data cannot become markup.

export const byId = (id) => document.getElementById(id);

export function el(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// Replaces the options of a select and keeps what is chosen.
export function setOptions(select, values, first) {
  const wanted = [...(first ?? []), ...values.map((value) => ({ value, text: value }))];
  if (wanted.length === select.options.length && wanted.every((o, i) => select.options[i].value === o.value)) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((o) => el('option', { value: o.value }, o.text)));
  if (wanted.some((o) => o.value === chosen)) select.value = chosen;
}

export const pretty = (value) => JSON.stringify(value, null, 2);
