// The hub's answers. An error has the hub's own words.

const root = '/devhub/page/api';

export class HubError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export const pathOf = (id) => {
  const [device, module] = id.split('/').map(encodeURIComponent);
  return module === undefined ? `/twins/${device}` : `/twins/${device}/modules/${module}`;
};

export async function ask(method, path, body, etag) {
  const headers = {};
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  if (etag !== undefined) headers['If-Match'] = `"${etag}"`;
  let answer;
  try {
    answer = await fetch(root + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  } catch {
    throw new HubError(0, 'The dev hub does not answer; does it still run?');
  }
  const text = await answer.text();
  if (answer.ok) return JSON.parse(text);
  throw new HubError(answer.status, wordsOf(text) || `HTTP ${answer.status}`);
}

export const events = () => new EventSource(`${root}/events`);

// IoT Hub's form: {"Message":"ErrorCode:Name;text"}, or JSON within it.
function wordsOf(text) {
  try {
    const message = JSON.parse(text).Message;
    if (message.startsWith('{')) return JSON.parse(message).message;
    return message.slice(message.indexOf(';') + 1);
  } catch {
    return text.trim();
  }
}
