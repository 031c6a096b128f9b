'use strict';
// The module client of azure-iot-device, made by fromEnvironment, over azure-iot-device-mqtt.

const { ModuleClient } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');
const { calls, messageOf, received, watch } = require('./client-calls');

module.exports = (emit) => {
  let client;

  return {
    ...calls(emit, () => client, 'onMethod'),

    /**
     * Makes the client of the environment and opens its connection. With `listen`, each message at an input is the event
     * `inputMessage`; a listener that came later could miss what the hub delivers to a session that it knows.
     */
    async connect({ listen = false }) {
      client = await ModuleClient.fromEnvironment(Mqtt);
      watch(client, emit);
      if (listen) {
        client.on('inputMessage', (input, message) => emit('inputMessage', { input, ...received(message) }));
      }
      await client.open();
    },

    async send({ output, ...message }) {
      await client.sendOutputEvent(output, messageOf(message));
    },

    /** Calls another module's method, by HTTPS at port 443. */
    async invokeMethod({ device, module, name, payload, connectTimeout = 30 }) {
      return client.invokeMethod(device, module, {
        methodName: name,
        payload,
        connectTimeoutInSeconds: connectTimeout,
        responseTimeoutInSeconds: 30,
      });
    },
  };
};
