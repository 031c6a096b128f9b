// Jobs of EdgeDm's module DeviceManagement, where it takes part: its list, and what its twin says of a running update. And those of the hub itself, which services
// scheduled.
import { ask, pathOf } from './api.js';
import { byId, el } from './dom.js';

const module = 'DeviceManagement';
let id = null;
let version = 0;
let isAsking = false;
let isStale = false;

export function render(status) {
  id = `${status.deviceId}/${module}`;
  const now = status.twins[id];
  if (now === undefined || now === version) return;
  version = now;
  refresh();
}

export const open = refresh;

// One at a time; what changed meanwhile is asked for afterwards.
async function refresh() {
  isStale = true;
  if (isAsking || !id) return;
  isAsking = true;
  try {
    while (isStale) {
      isStale = false;
      await showGroup();
      if (!byId('jobs').hidden) await Promise.all([showList(), showScheduled()]);
    }
  } finally {
    isAsking = false;
  }
}

async function showGroup() {
  let group = null;
  try {
    group = (await ask('GET', pathOf(id))).reported.firmwareUpdate ?? null;
  } catch {
    group = null; // The list says what is wrong.
  }
  const strip = byId('running-job');
  const isRunning = Boolean(group?.step) && group?.__meta?.deploymentStatus === 'pending';
  strip.hidden = !isRunning;
  strip.replaceChildren(...(isRunning ? parts(group) : []));
  byId('job-group').replaceChildren(...(group?.state ? parts(group) : []));
}

function parts(group) {
  const percent = group.percent ?? 0;
  const words = `Firmware update: ${group.state}${group.step ? `, ${group.step}` : ''}${group.percent === undefined || group.percent === null ? '' : ` ${percent} %`}`;
  return [el('p', { class: 'job' }, el('span', null, words), group.step ? el('progress', { max: 100, value: percent, 'aria-label': words }) : null)];
}

async function showList() {
  try {
    const answer = await ask('POST', `${pathOf(id)}/methods`, { methodName: 'queryJobs', responseTimeoutInSeconds: 10, payload: {} });
    if (answer.status >= 300) throw new Error(answer.payload?.message ?? `queryJobs answered ${answer.status}`);
    const { jobs } = answer.payload;
    byId('jobs-status').textContent = jobs.length === 0 ? 'There are no jobs.' : '';
    byId('job-rows').replaceChildren(...jobs.map(row));
  } catch (error) {
    byId('jobs-status').textContent = error.message;
  }
}

async function showScheduled() {
  try {
    const { jobs, more } = await ask('GET', '/jobs');
    byId('scheduled-status').textContent = jobs.length === 0 ? 'There are none.' : more > 0 ? `and ${more} older ones` : '';
    byId('scheduled-rows').replaceChildren(...jobs.map(scheduledRow));
  } catch (error) {
    byId('scheduled-status').textContent = error.message;
  }
}

function scheduledRow(job) {
  const { deviceCount, succeededCount, failedCount } = job.deviceJobStatistics;
  const words = `${succeededCount + failedCount} of ${deviceCount}${failedCount > 0 ? `, ${failedCount} failed` : ''}`;
  return el(
    'tr',
    null,
    el('th', { scope: 'row' }, job.jobId),
    el('td', null, job.type === 'scheduleUpdateTwin' ? 'twin' : `method ${job.cloudToDeviceMethod.methodName}`),
    el('td', null, el('code', null, job.queryCondition)),
    el('td', { title: job.failureReason }, el('span', { class: `state ${job.status}` }, job.status)),
    el('td', null, el('progress', { max: Math.max(deviceCount, 1), value: succeededCount + failedCount, 'aria-label': words }), ` ${words}`),
    el('td', null, new Date(job.startTime).toLocaleString()),
  );
}

function row(job) {
  return el(
    'tr',
    null,
    el('th', { scope: 'row' }, job.jobId),
    el('td', null, job.type),
    el('td', { title: job.error?.message }, el('span', { class: `state ${job.status}` }, job.status), job.error ? `: ${job.error.message}` : ''),
    el('td', null, job.step ?? ''),
    el('td', null, el('progress', { max: 100, value: job.status === 'completed' ? 100 : job.percent, 'aria-label': `${job.percent} % of ${job.step ?? 'the job'}` })),
    el('td', null, new Date(job.createdTime).toLocaleString()),
    el('td', null, job.source),
  );
}

byId('jobs-refresh').addEventListener('click', refresh);
