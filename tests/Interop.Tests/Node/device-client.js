'use strict';
// The device client of azure-iot-device, made of a connection string, over azure-iot-device-mqtt.

const { readFileSync } = require('node:fs');
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
  };
};
