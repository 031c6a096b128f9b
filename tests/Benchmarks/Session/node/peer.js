'use strict';
// A client that is measured beside ours: `node peer.js KIND`. Lines of JSON: {"call":"send","count":100,...} on standard input is answered by
// {"result":...} or {"error":"..."} on standard output, one call at a time. The end of standard input ends the peer.
//
// A kind is a file of this folder that exports calls, each an async function of its parameters.

const readline = require('node:readline');

const kind = process.argv[2];
if (!/^[a-z-]+$/.test(kind ?? '')) {
  process.stderr.write('peer.js: name the kind of client, for example azure\n');
  process.exit(2);
}
console.log = console.error;
const write = (answer) => process.stdout.write(JSON.stringify(answer) + '\n');

async function answer(line) {
  try {
    const { call, ...parameters } = JSON.parse(line);
    if (call === 'hello') {
      write({ result: null });
      return;
    }
    // Only now: a program that does nothing yet has loaded nothing yet, as ours.
    const calls = require(`./${kind}`);
    if (!Object.hasOwn(calls, call)) {
      throw new Error(`a ${kind} has no call '${call}'`);
    }
    write({ result: (await calls[call](parameters)) ?? null });
  } catch (error) {
    write({ error: `${error.name}: ${error.message}` });
  }
}

readline
  .createInterface({ input: process.stdin })
  .on('line', answer)
  .on('close', () => process.exit(0));
