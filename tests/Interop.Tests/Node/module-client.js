'use strict';
// The module client of azure-iot-device, made by fromEnvironment, over azure-iot-device-mqtt.

const { ModuleClient, Message } = require('azure-iot-device');
const { Mqtt } = require('azure-iot-device-mqtt');

const received = (input, message) => {
  const { messageId, correlationId, contentType, contentEncoding } = message;
  return {
    input,
    body: message.getData().toString('utf8'),
    properties: Object.fromEntries(message.properties.propertyList.map(({ key, value }) => [key, value])),
    messageId,
    correlationId,
    contentType,
    contentEncoding,
  };
};

const settled = (start) => new Promise((done, fail) => start((error) => (error ? fail(error) : done())));

module.exports = (emit) => {
  let client;
  let twin;

  // The client does not tell when it is subscribed; the answer to a later request does.
  const subscribed = async () => {
    twin ??= await client.getTwin();
    await settled((done) => twin.get(done));
  };

  return {
    /**
     * Makes the client of the environment and opens its connection. With `listen`, each message at an input is the event
     * `inputMessage`; a listener that came later could miss what the hub delivers to a session that it knows.
     */
    async connect({ listen = false }) {
      client = await ModuleClient.fromEnvironment(Mqtt);
      client.on('disconnect', () => emit('disconnect'));
      client.on('error', (error) => emit('error', { message: error.message }));
      if (listen) {
        client.on('inputMessage', (input, message) => emit('inputMessage', received(input, message)));
      }
      await client.open();
    },

    async send({ output, body, properties = {}, ...system }) {
      const message = new Message(body);
      Object.assign(message, system);
      for (const [key, value] of Object.entries(properties)) {
        message.properties.add(key, value);
      }
      await client.sendOutputEvent(output, message);
    },

    /** The whole twin. */
    async getTwin() {
      twin = await client.getTwin();
      const { desired, reported } = twin.properties;
      return { desired, reported: { ...reported, update: undefined } };
    },

    /** From now on each change of the desired properties is the event `desired`. The client begins with all of them. */
    async watchDesired() {
      twin.on('properties.desired', (patch) => emit('desired', patch));
      await subscribed();
    },

    async report({ patch }) {
      await settled((done) => twin.properties.reported.update(patch, done));
    },

    /** Answers a method with the status and payload given, and tells what it was called with. */
    async onMethod({ name, status, payload }) {
      client.onMethod(name, (request, response) => {
        emit('method', { name: request.methodName, payload: request.payload });
        response.send(status, payload).catch((error) => emit('error', { message: error.message }));
      });
      await subscribed();
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

    async close() {
      await client.close();
    },
  };
};
