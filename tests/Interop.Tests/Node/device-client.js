'use strict';
// The device client of azure-iot-device, made of a connection string, over azure-iot-device-mqtt.

const { readFileSync } = require('node:fs');
const { Readable } = require('node:stream');
const { Client } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { calls, messageOf, received, watch } = require('./client-calls');

module.exports = (emit) => {
  let client;

  return {
    ...calls(emit, () => client, 'onDeviceMethod'),

    /**
     * Makes the client of DEVICE_CONNECTION_STRING, which trusts TRUSTED_CERTIFICATE_FILE, and opens its connection. With
     * `listen`, each message from the cloud is the event `message`, and then completed.
     */
    async connect({ listen = false }) {
      client = Client.fromConnectionString(process.env.DEVICE_CONNECTION_STRING, Mqtt);
      await client.setOptions({ ca: readFileSync(process.env.TRUSTED_CERTIFICATE_FILE, 'utf8') });
      watch(client, emit);
      if (listen) {
        client.on('message', (message) => {
          emit('message', received(message));
          client.complete(message).catch((error) => emit('error', { message: error.message }));
        });
      }
      await client.open();
    },

    async send(message) {
      await client.sendEvent(messageOf(message));
    },

    /** Uploads a file of so many MiB, each of one digit, by HTTPS at port 443; its storage client takes 8 MiB at a time. */
    async upload({ name, mebibytes }) {
      const size = 1024 * 1024;
      const pieces = Array.from({ length: mebibytes }, (_, index) => Buffer.alloc(size, `${index % 10}`));
      await client.uploadToBlob(name, Readable.from(pieces, { objectMode: false }), size * mebibytes);
    },
  };
};
