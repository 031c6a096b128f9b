'use strict';
// An official client as a peer of the tests: `node peer.js KIND`.
//
// Lines of JSON, one object each. Standard input: {"id":1,"call":"name","with":{...}}. Standard output: {"id":1,"result":...}
// or {"id":1,"error":"..."} for each call, and {"event":"name","data":...} for what happens by itself. The end of standard
// input ends the peer. Whatever else the SDK prints goes to standard error.
//
// A kind is a file of this folder that exports a function of `emit` and returns its calls, each an async function of `with`.

const readline = require('node:readline');

const kind = process.argv[2];
if (!/^[a-z-]+$/.test(kind ?? '')) {
  process.stderr.write('peer.js: name the kind of peer, for example module-client\n');
  process.exit(2);
}
console.log = console.error;
const write = (message) => process.stdout.write(JSON.stringify(message) + '\n');
const calls = require(`./${kind}`)((event, data) => write({ event, data }));

async function answer(line) {
  const { id, call, with: parameters } = JSON.parse(line);
  try {
    if (!Object.hasOwn(calls, call)) {
      throw new Error(`a ${kind} has no call '${call}'`);
    }
    write({ id, result: (await calls[call](parameters ?? {})) ?? null });
  } catch (error) {
    write({ id, error: `${error.name}: ${error.message}` });
  }
}

readline
  .createInterface({ input: process.stdin })
  .on('line', answer)
  .on('close', () => process.exit(0));
