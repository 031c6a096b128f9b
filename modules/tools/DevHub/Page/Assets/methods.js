// Direct methods to call.
import { ask, pathOf } from './api.js';
import { byId, el, pretty, setOptions } from './dom.js';

const choice = byId('method-module');
let isCalling = false;

export function render(status) {
  setOptions(choice, status.connected.slice().sort());
}

export async function open() {
  if (!choice.value) return;
  try {
    const { reported } = await ask('GET', pathOf(choice.value));
    const names = Object.keys(reported.__deviceSchemas?.methods ?? reported.__deviceSchemas ?? {});
    byId('method-names').replaceChildren(...names.map((name) => el('option', { value: name })));
  } catch {
    byId('method-names').replaceChildren(); // They are a help only.
  }
}

async function invoke() {
  if (isCalling) return;
  byId('method-error').textContent = '';
  let payload = null;
  try {
    const given = byId('method-payload').value.trim();
    if (given) payload = JSON.parse(given);
  } catch (error) {
    byId('method-error').textContent = `The payload is no JSON: ${error.message}`;
    byId('method-payload').focus();
    return;
  }
  isCalling = true;
  byId('method-status').textContent = 'waits for the answer';
  const began = performance.now();
  try {
    const call = { methodName: byId('method-name').value, responseTimeoutInSeconds: Number(byId('method-timeout').value), payload };
    const answer = await ask('POST', `${pathOf(choice.value)}/methods`, call);
    byId('method-status').textContent = `status ${answer.status} after ${Math.round(performance.now() - began)} ms`;
    byId('method-answer').textContent = pretty(answer.payload);
    byId('method-answer').hidden = false;
  } catch (error) {
    byId('method-status').textContent = '';
    byId('method-error').textContent = error.message;
  } finally {
    isCalling = false;
  }
}

choice.addEventListener('change', open);
byId('method-form').addEventListener('submit', (event) => {
  event.preventDefault();
  invoke();
});
byId('method-form').addEventListener('keydown', (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter' && byId('method-form').reportValidity()) {
    event.preventDefault();
    invoke();
  }
});
