// JSON merge patches (RFC 7396), as twins use them.

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

// The smallest patch that makes `later` of `earlier`.
export function patchBetween(earlier, later) {
  const patch = {};
  for (const name of Object.keys(earlier)) if (!(name in later)) patch[name] = null;
  for (const [name, value] of Object.entries(later)) {
    if (name in earlier && same(earlier[name], value)) continue;
    patch[name] = isObject(earlier[name]) && isObject(value) ? patchBetween(earlier[name], value) : value;
  }
  return patch;
}

// [path, value] of everything that is no object, in order.
export function leavesOf(document, path = '') {
  return Object.entries(document).flatMap(([name, value]) => {
    const at = path ? `${path}.${name}` : name;
    return isObject(value) && Object.keys(value).length > 0 ? leavesOf(value, at) : [[at, value]];
  });
}
