// Twins to read and to edit: desired beside reported, what the module says is wrong, and what somebody else changed meanwhile.
import { ask, pathOf } from './api.js';
import { byId, el, pretty, setOptions } from './dom.js';
import { leavesOf, patchBetween } from './patch.js';

const text = byId('twin-text');
const choice = byId('twin-choice');
let twin = null; // as shown
let base = null; // the desired properties that the text began with
let baseText = '';
let versions = {};
let loading = null;

const isDirty = () => text.value !== baseText;

export function render(status) {
  setOptions(choice, Object.keys(status.twins).sort());
  const former = versions;
  versions = status.twins;
  if (!byId('twins').hidden && twin && versions[twin.id] !== former[twin.id]) load();
}

export async function open(id) {
  if (id && [...choice.options].some((option) => option.value === id)) choice.value = id;
  else if (!twin) choice.value = [...choice.options].map((o) => o.value).find((v) => v.endsWith('/DeviceManagement')) ?? choice.value;
  await load();
}

async function load({ discard = false } = {}) {
  const id = choice.value;
  if (!id) return;
  const mine = (loading = ask('GET', pathOf(id)));
  try {
    const found = await mine;
    if (mine !== loading) return; // A later one is under way.
    const isOther = twin?.id !== id;
    if (discard || isOther || !isDirty()) startFrom(found);
    else if (found.desiredVersion !== twin.desiredVersion) say(`Somebody else changed the desired properties (version ${found.desiredVersion}). Save merges what you changed; or discard your changes to see theirs.`);
    twin = found;
    show();
  } catch (error) {
    say(error.message);
  }
}

function startFrom(found) {
  base = found.desired;
  baseText = pretty(base);
  text.value = baseText;
  say('');
}

function show() {
  byId('twin-version').textContent = `desired version ${twin.desiredVersion}, reported version ${twin.reportedVersion}`;
  const desired = new Map(leavesOf(twin.desired));
  const reported = new Map(leavesOf(twin.reported));
  const onlyDifferences = byId('twin-differences').checked;
  const paths = [...new Set([...desired.keys(), ...reported.keys()])].sort();
  const rows = paths
    .map((path) => ({ path, desired: desired.get(path), reported: reported.get(path), differs: desired.has(path) && JSON.stringify(desired.get(path)) !== JSON.stringify(reported.get(path)) }))
    .filter((row) => row.differs || !onlyDifferences);
  byId('twin-rows').replaceChildren(
    ...rows.map((row) => el('tr', { class: row.differs ? 'differs' : null }, el('th', { scope: 'row' }, row.path), el('td', null, valueText(row.desired)), el('td', null, valueText(row.reported), row.differs ? el('span', { class: 'away' }, ' (differs)') : null))),
  );
  byId('twin-problems').replaceChildren(...problemsOf(twin.reported));
}

const valueText = (value) => (value === undefined ? '' : JSON.stringify(value));

// What modules of EdgeDm report as <group>.__errors, and edgeHub as lastDesiredStatus.
function problemsOf(reported) {
  const problems = [];
  for (const [group, content] of Object.entries(reported)) {
    for (const [part, error] of Object.entries(content?.__errors ?? {})) {
      problems.push(`${group}.${part}: ${error?.message ?? JSON.stringify(error)}`);
    }
  }
  const last = reported.lastDesiredStatus;
  if (last && last.code !== 200) problems.push(`lastDesiredStatus ${last.code}: ${last.description}`);
  return problems.map((problem) => el('p', { class: 'error' }, problem));
}

async function save() {
  byId('twin-saved').textContent = '';
  let edited;
  try {
    edited = JSON.parse(text.value);
  } catch (error) {
    say(`This is no JSON: ${error.message}`);
    pointAt(Number(/position (\d+)/.exec(error.message)?.[1] ?? 0), 1);
    return;
  }
  if (edited === null || typeof edited !== 'object' || Array.isArray(edited)) {
    say('Desired properties are an object: { ... }.');
    return;
  }
  const patch = patchBetween(base, edited);
  if (Object.keys(patch).length === 0) {
    byId('twin-saved').textContent = 'Nothing was changed.';
    return;
  }
  try {
    twin = await ask('PATCH', pathOf(twin.id), patch, twin.etag);
    startFrom(twin);
    show();
    byId('twin-saved').textContent = `Saved as version ${twin.desiredVersion}.`;
  } catch (error) {
    say(error.status === 412 ? 'Somebody else changed the twin meanwhile; theirs is in the table now. Save again merges what you changed into it, or discard your changes.' : error.message);
    if (error.status === 412) {
      twin = await ask('GET', pathOf(twin.id));
      show();
    } else {
      pointAtPath(/'([^']+)'/.exec(error.message)?.[1]);
    }
  }
}

// Selects the property that an error names.
function pointAtPath(path) {
  let at = 0;
  let name = '';
  for (const part of path?.split('.') ?? []) {
    const found = text.value.indexOf(`"${part}"`, at);
    if (found < 0) break;
    [at, name] = [found, part];
  }
  if (name) pointAt(at + 1, name.length);
}

function pointAt(position, length) {
  text.focus();
  text.setSelectionRange(position, position + length);
}

function say(what) {
  byId('twin-error').textContent = what;
}

choice.addEventListener('change', () => {
  history.replaceState(null, '', `#twins/${choice.value}`);
  load();
});
byId('twin-differences').addEventListener('change', () => twin && show());
byId('twin-reload').addEventListener('click', () => load({ discard: true }));
byId('twin-form').addEventListener('submit', (event) => {
  event.preventDefault();
  save();
});
byId('twin-form').addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 's') {
    event.preventDefault();
    save();
  }
});
