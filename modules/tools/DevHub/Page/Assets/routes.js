// Routes as a graph: sources left, sinks right, how many messages took each, and what waits before each sink.
import { byId, el, svg } from './dom.js';

const rowHeight = 34;
const boxHeight = 24;
const leastWidth = 460;
const margin = 8; // Of a name in its box.
const letterWidth = 7.1; // On the average, at the graph's size of letters.
let before = {};
let drawn = '';

const sourceName = (pattern) => pattern.replace(/^\/messages\/modules\//, '').replace('/outputs/', ' › ').replace(/\/\*$/, ' › *').replace(/^\/messages$/, 'device').replace(/^\/\*$/, 'every message').replace(/^\/messages › \*$/, 'every message');
const sinkName = (sink) => sink.replace('/inputs/', ' › ');

export function render(status) {
  const width = Math.max(leastWidth, byId('graph').clientWidth);
  const now = JSON.stringify([status.routes, status.counts, status.waiting, width]);
  if (now === drawn || byId('graph').clientWidth === 0) return;
  drawn = now;
  draw(status, width);
  byId('routes').replaceChildren(
    ...status.routes.map((route) => el('tr', null, el('th', { scope: 'row' }, route.name), el('td', null, route.source), el('td', null, el('code', null, route.condition ?? '')), el('td', null, route.sink), el('td', { class: 'number' }, route.priority === null ? '' : String(route.priority)), el('td', { class: 'number' }, String(status.counts[route.name] ?? 0)))),
  );
  before = status.counts;
  setTimeout(() => document.querySelectorAll('.moving').forEach((edge) => edge.classList.remove('moving')), 1000);
}

function draw(status, width) {
  const sources = [...new Set(status.routes.map((route) => route.source))];
  const waitingOnly = Object.keys(status.waiting).filter((sink) => !status.routes.some((route) => route.sink === sink));
  const sinks = [...new Set(status.routes.map((route) => route.sink)), ...waitingOnly];
  const height = Math.max(sources.length, sinks.length, 1) * rowHeight + 8;
  const box = Math.min(260, width * 0.4);
  const y = (list, item) => 4 + rowHeight * (list.indexOf(item) + 0.5) + ((height - 8) - list.length * rowHeight) / 2;
  const fit = Math.floor((box - 2 * margin) / letterWidth);
  const node = (name, at, x, kind, waits) =>
    svg('g', { class: `node ${kind}` }, svg('title', null, waits ? `${name}: ${waits} wait` : name), svg('rect', { x, y: at - boxHeight / 2, width: box, height: boxHeight, rx: 4 }), svg('text', { x: x + margin, y: at + 4 }, name.length > fit - (waits ? 9 : 0) ? `${name.slice(0, fit - (waits ? 10 : 1))}…` : name), waits ? svg('text', { x: x + box - 6, y: at + 4, class: 'waits', 'text-anchor': 'end' }, `${waits} wait`) : null);
  const edges = status.routes.map((route) => {
    const count = status.counts[route.name] ?? 0;
    const [x1, y1, x2, y2] = [box, y(sources, route.source), width - box, y(sinks, route.sink)];
    const bend = (x2 - x1) / 2;
    const isMoving = count !== (before[route.name] ?? count);
    return svg('g', { class: `edge${isMoving ? ' moving' : ''}${count === 0 ? ' idle' : ''}${route.condition ? ' some' : ''}` }, svg('title', null, `${route.name}: ${count} messages${route.condition ? `, only where ${route.condition}` : ''}`), svg('path', { d: `M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}` }));
  });
  // One number at each end: what left the source, what reached the sink.
  const sum = (key, value) => status.routes.filter((route) => route[key] === value).reduce((total, route) => total + (status.counts[route.name] ?? 0), 0);
  const numbers = [
    ...sources.map((source) => svg('text', { x: box + 6, y: y(sources, source) - 5, class: 'count' }, String(sum('source', source)))),
    ...sinks.map((sink) => svg('text', { x: width - box - 6, y: y(sinks, sink) - 5, class: 'count', 'text-anchor': 'end' }, String(sum('sink', sink)))),
  ];
  const total = status.routes.reduce((all, route) => all + (status.counts[route.name] ?? 0), 0);
  byId('graph').replaceChildren(
    svg('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img', 'aria-label': `${status.routes.length} routes, ${total} messages; below as a table` }, ...edges, ...sources.map((source) => node(sourceName(source), y(sources, source), 0, 'source')), ...sinks.map((sink) => node(sinkName(sink), y(sinks, sink), width - box, 'sink', status.waiting[sink])), ...numbers),
  );
}
