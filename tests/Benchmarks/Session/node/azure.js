'use strict';
// The official module client: azure-iot-device over azure-iot-device-mqtt.

const fs = require('node:fs');
const { ModuleClient, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { inWindow, seconds } = require('./measure');

let client;

/** Its port, 8883, is built in. */
exports.connect = async ({ connectionString, rootFile, keepAlive = 60 }) => {
  client = ModuleClient.fromConnectionString(connectionString, Mqtt);
  client.on('error', () => {});
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
