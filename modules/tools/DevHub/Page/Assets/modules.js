// Modules with state and restarts, and the log of one of them.
import { ask } from './api.js';
import { byId, el } from './dom.js';

const mostLines = 1000;
let shown = null;
let lastNumber = 0;

export function render(status) {
  const rows = status.modules.length > 0 ? status.modules : status.connected.map(connectedOnly);
  byId('modules').replaceChildren(...rows.map((module) => row(module, status)));
}

// A hub that launches nothing knows only who is connected.
const connectedOnly = (id) => ({ moduleId: id.split('/').pop(), runtimeStatus: 'not launched', restartCount: 0, statusDescription: '' });

function row(module, status) {
  const isConnected = status.connected.includes(`${status.deviceId}/${module.moduleId}`);
  const focused = document.activeElement?.dataset?.log === module.moduleId;
  const button = el('button', { type: 'button', 'data-log': module.moduleId, 'aria-label': `Log of ${module.moduleId}`, onclick: () => show(module.moduleId) }, 'Log');
  // The row is made anew; whoever stood on its button stays there.
  if (focused) queueMicrotask(() => button.focus());
  return el(
    'tr',
    null,
    el('th', { scope: 'row' }, module.moduleId),
    el('td', { title: module.statusDescription }, el('span', { class: `state ${module.runtimeStatus}` }, module.runtimeStatus), module.exitCode !== null && module.exitCode !== undefined && module.runtimeStatus !== 'running' ? ` (exit ${module.exitCode})` : ''),
    el('td', { class: 'number' }, String(module.restartCount)),
    el('td', null, isConnected ? 'yes' : 'no'),
    el('td', null, button),
  );
}

export async function show(moduleId) {
  shown = moduleId;
  lastNumber = 0;
  byId('log').hidden = false;
  byId('log-title').textContent = `Log of ${moduleId}`;
  byId('log-lines').replaceChildren();
  const { lines } = await ask('GET', `/logs/${encodeURIComponent(moduleId)}`);
  if (shown !== moduleId) return;
  byId('log-lines').replaceChildren();
  lastNumber = 0;
  lines.forEach(add);
  byId('log').scrollIntoView({ block: 'nearest' });
}

export function onLine(line) {
  if (line.module === shown) add(line);
}

function add(line) {
  if (line.number <= lastNumber) return;
  lastNumber = line.number;
  const pane = byId('log-lines');
  pane.append(el('div', { class: levelOf(line.text) }, line.text || ' '));
  if (pane.childElementCount > mostLines) pane.firstElementChild.remove();
  if (byId('log-follow').checked) pane.scrollTop = pane.scrollHeight;
}

const levelOf = (text) => (/\[(ERR|FTL)\]/.test(text) ? 'bad' : text.includes('[WRN]') ? 'warn' : null);

byId('log-close').addEventListener('click', () => {
  const button = document.querySelector(`[data-log="${CSS.escape(shown)}"]`);
  shown = null;
  byId('log').hidden = true;
  button?.focus();
});
