// Messages as they pass: the newest first, bounded, filtered, paused.
import { byId, el, pretty, setOptions } from './dom.js';

const most = 300;
const dropped = '(no route)';
let kept = [];
let passed = 0; // while paused
let isPaused = false;
let isDue = false;

export function render(status) {
  setOptions(byId('message-route'), [...status.routes.map((route) => route.name), dropped], [{ value: '', text: 'all' }]);
}

export function onMessage(message) {
  if (isPaused) {
    passed++;
    say();
    return;
  }
  message.route ??= dropped;
  message.search = `${message.from} ${message.to ?? ''} ${message.route} ${JSON.stringify(message.properties)} ${message.text ?? JSON.stringify(message.body)}`.toLowerCase();
  kept.unshift(message);
  kept.length = Math.min(kept.length, most);
  draw();
}

export function toggle() {
  isPaused = !isPaused;
  passed = 0;
  byId('message-pause').setAttribute('aria-pressed', String(isPaused));
  say();
}

export function open() {
  draw();
}

// Many at once are drawn once.
function draw() {
  if (isDue || byId('messages').hidden) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    const filter = byId('message-filter').value.toLowerCase();
    const route = byId('message-route').value;
    const wanted = kept.filter((m) => (!route || m.route === route) && (!filter || m.search.includes(filter)));
    const list = byId('message-rows');
    list.replaceChildren(...wanted.map((m) => (m.row ??= row(m))));
    say(wanted.length);
  });
}

function say(count = byId('message-rows').childElementCount) {
  byId('message-status').textContent = isPaused ? `paused; ${passed} passed meanwhile` : `${count} of the newest ${most}`;
}

function row(message) {
  const time = message.time.slice(11, 23);
  const body = el('pre', null);
  const details = el(
    'details',
    null,
    el('summary', null, el('time', { datetime: message.time }, time), ' ', el('b', null, message.from.replace('/messages/modules/', '').replace('/outputs/', ' › ')), ' → ', el('b', null, (message.to ?? 'nowhere').replace('/inputs/', ' › ')), ' ', el('span', { class: 'quiet' }, `${message.route}, ${message.size} bytes`)),
    body,
  );
  // Made when somebody looks.
  details.addEventListener('toggle', () => {
    body.textContent = `${pretty(message.properties)}\n${message.text === undefined ? pretty(message.body) : message.text}${message.cut ? '\n... cut' : ''}`;
  }, { once: true });
  return el('li', null, details);
}

byId('message-filter').addEventListener('input', draw);
byId('message-route').addEventListener('change', draw);
byId('message-pause').addEventListener('click', toggle);
byId('message-clear').addEventListener('click', () => {
  kept = [];
  draw();
});
