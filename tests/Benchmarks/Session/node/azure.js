'use strict';
// The official module client: azure-iot-device over azure-iot-device-mqtt.

const fs = require('node:fs');
const { ModuleClient, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { inWindow, microseconds, seconds } = require('./measure');

let client;

let twin;
let onLost;
const lost = new Promise((done) => (onLost = done));
const latencies = [];
const settled = (start) => new Promise((done, fail) => start((error) => (error ? fail(error) : done())));

/** Its port, 8883, is built in. */
exports.connect = async ({ connectionString, rootFile, keepAlive = 60 }) => {
  client = ModuleClient.fromConnectionString(connectionString, Mqtt);
  client.on('error', () => {});
  client.on('disconnect', onLost);
  await client.setOptions({ ca: fs.readFileSync(rootFile, 'utf8'), keepalive: keepAlive });
  await client.open();
};

exports.send = async ({ count, window, bytes }) => {
  const payload = Buffer.alloc(bytes);
  return { seconds: await inWindow(count, window, (done) => client.sendEvent(new Message(payload), done)) };
};

/** The client acknowledges a message when it comes, before the application has seen it. */
exports.receive = async ({ count }) =>
  new Promise((done) => {
    let begin;
    const onMessage = (_, message) => {
      begin ??= process.hrtime.bigint();
      if (message.getData().length === 0) {
        throw new Error('an empty message came');
      }
      if (--count === 0) {
        client.removeListener('inputMessage', onMessage);
        done({ seconds: seconds(begin) });
      }
    };
    client.on('inputMessage', onMessage);
  });

/** Answers a method with what it was called with. */
exports.serve = async () => {
  client.onMethod('echo', (request, response) => response.send(200, request.payload));
};

exports.patch = async ({ count }) => {
  twin ??= await client.getTwin();
  const times = [];
  for (let i = 0; i < count; i++) {
    const begin = process.hrtime.bigint();
    await settled((done) => twin.properties.reported.update({ bench: i }, done));
    times.push(microseconds(begin));
  }
  return times;
};

/** The client begins with all desired properties; the answer to a later request tells that it is subscribed. */
exports.watch = async () => {
  twin ??= await client.getTwin();
  twin.on('properties.desired', (patch) => {
    if (patch.sent) {
      latencies.push(microseconds(BigInt(patch.sent)));
    }
  });
  await settled((done) => twin.get(done));
  latencies.length = 0;
};

exports.watched = async ({ count }) => {
  while (latencies.length < count) {
    await new Promise((done) => setTimeout(done, 10));
  }
  return latencies.splice(0, count);
};

/** Until the client tells that it has given up. */
exports.untilLost = async () => {
  await lost;
  return 'disconnect';
};

/** Sends again what the client gives up, as an application would; the client itself tries again for four minutes. */
exports.deliver = async ({ connectionString, rootFile, count, window, output }) => {
  await exports.connect({ connectionString, rootFile });
  let failures = 0;
  let longest = 0;
  let last = process.hrtime.bigint();
  let number = 0;
  await inWindow(count, window, (done) => {
    const message = new Message(Buffer.alloc(128));
    message.messageId = `n${number++}`;
    const send = () =>
      client.sendOutputEvent(output, message, (error) => {
        if (error) {
          failures++;
          setTimeout(send, 100);
          return;
        }
        longest = Math.max(longest, seconds(last));
        last = process.hrtime.bigint();
        done();
      });
    send();
  });
  return { connections: 0, failures, longestGap: longest };
};
