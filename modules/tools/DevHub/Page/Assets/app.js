// The page: its views, its keys, and what the hub tells.
import { events } from './api.js';
import { byId } from './dom.js';
import * as jobs from './jobs.js';
import * as messages from './messages.js';
import * as methods from './methods.js';
import * as modules from './modules.js';
import * as routes from './routes.js';
import * as twins from './twins.js';

const names = ['overview', 'twins', 'methods', 'jobs', 'messages'];
const opened = { twins: (rest) => twins.open(rest), methods: () => methods.open(), jobs: () => jobs.open(), messages: () => messages.open(), overview: () => status && routes.render(status) };
let status = null;

function showView() {
  const [name, ...rest] = decodeURIComponent(location.hash.slice(1)).split('/');
  if (name === 'main') return;
  const chosen = names.includes(name) ? name : 'overview';
  for (const other of names) {
    byId(other).hidden = other !== chosen;
    const link = document.querySelector(`nav a[href="#${other}"]`);
    if (other === chosen) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (status) opened[chosen](rest.join('/'));
}

function onStatus(document) {
  const isFirst = status === null;
  status = document;
  byId('device').textContent = status.deviceId;
  byId('summary').textContent = summaryOf(status);
  for (const view of [modules, routes, twins, methods, jobs, messages]) view.render(status);
  if (isFirst) showView();
}

function summaryOf({ modules: launched, connected, waiting, faults, version }) {
  const running = launched.filter((module) => module.runtimeStatus === 'running').length;
  const waits = Object.values(waiting).reduce((sum, count) => sum + count, 0);
  const first = launched.length > 0 ? `${running} of ${launched.length} modules run` : `${connected.length} connected`;
  const onPurpose = faults.length === 0 ? '' : `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} on purpose (edgedm hub faults); `;
  return `${onPurpose}${first}; ${waits === 0 ? 'no message waits' : `${waits} messages wait`}; version ${version}`;
}

function notice(text) {
  byId('notice').textContent = text;
  byId('notice').hidden = text === '';
}

function connect() {
  const source = events();
  let lost = 0;
  source.addEventListener('open', () => notice(''));
  source.addEventListener('error', () => {
    byId('summary').textContent = 'not connected';
    notice(source.readyState === EventSource.CLOSED ? 'The hub does not let this page in. Get a new address: ./scripts/edgedm hub page' : 'The hub does not answer; this page tries again.');
  });
  source.addEventListener('status', (event) => onStatus(JSON.parse(event.data)));
  source.addEventListener('line', (event) => modules.onLine(JSON.parse(event.data)));
  source.addEventListener('message', (event) => messages.onMessage(JSON.parse(event.data)));
  source.addEventListener('lost', (event) => {
    lost += JSON.parse(event.data).count;
    notice(`This page was too slow: ${lost} lines and messages were left out.`);
  });
}

const themes = ['system', 'light', 'dark'];

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem('theme', theme);
  byId('theme').textContent = `Theme: ${theme}`;
  byId('theme').setAttribute('aria-label', `Theme: ${theme === 'system' ? 'as the system' : theme}`);
}

const nextTheme = () => setTheme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);

function onKey(event) {
  const isTyping = event.target.matches('input:not([type=checkbox]), textarea, select');
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || byId('help').open) return;
  const view = names[Number(event.key) - 1];
  if (view) {
    location.hash = view;
    queueMicrotask(() => byId('main').focus());
  } else if (event.key === '/') {
    location.hash = 'messages';
    showView();
    byId('message-filter').focus();
  } else if (event.key === 'p') messages.toggle();
  else if (event.key === 't') nextTheme();
  else if (event.key === '?') byId('help').showModal();
  else return;
  event.preventDefault();
}

setTheme(themes.includes(localStorage.getItem('theme')) ? localStorage.getItem('theme') : 'system');
byId('theme').addEventListener('click', nextTheme);
byId('help-button').addEventListener('click', () => byId('help').showModal());
document.addEventListener('keydown', onKey);
addEventListener('hashchange', showView);
addEventListener('resize', () => status && routes.render(status));
showView();
connect();
