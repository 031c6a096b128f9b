'use strict';
// mqtt.js, to any broker.

const fs = require('node:fs');
const mqtt = require('mqtt');
const { inWindow } = require('./measure');

const clients = [];
let onLost;
const lost = new Promise((done) => (onLost = done));

exports.connect = async ({ host, port, rootFile, clientId, keepAlive = 60, sessions = 1 }) => {
  const url = rootFile ? `mqtts://${host}:${port}` : `mqtt://${host}:${port}`;
  const ca = rootFile ? fs.readFileSync(rootFile) : undefined;
  for (let i = 0; i < sessions; i++) {
    clients.push(
      await mqtt.connectAsync(url, { clientId: clientId + clients.length, ca, keepalive: keepAlive, reconnectPeriod: 0 }),
    );
  }
  clients[0].on('error', () => {});
  clients[0].on('close', onLost);
};

/** Until the first client's connection is closed. */
exports.untilLost = async () => {
  await lost;
  return 'close';
};

exports.send = async ({ count, window, bytes, topic }) => {
  const payload = Buffer.alloc(bytes);
  const [client] = clients;
  return { seconds: await inWindow(count, window, (done) => client.publish(topic, payload, { qos: 1 }, done)) };
};
