'use strict';
// What the clients of modules and of devices have in common.

const { Message } = require('azure-iot-device');

const settled = (start) => new Promise((done, fail) => start((error) => (error ? fail(error) : done())));

/** A message that arrived, as the tests read it. */
const received = (message) => {
  const { messageId, correlationId, contentType, contentEncoding } = message;
  return {
    body: message.getData().toString('utf8'),
    properties: Object.fromEntries(message.properties.propertyList.map(({ key, value }) => [key, value])),
    messageId,
    correlationId,
    contentType,
    contentEncoding,
  };
};

/** A message to send, as the tests write it. */
const messageOf = ({ body, properties = {}, ...system }) => {
  const message = Object.assign(new Message(body), system);
  for (const [key, value] of Object.entries(properties)) {
    message.properties.add(key, value);
  }
  return message;
};

/** What happens to any client by itself. */
const watch = (client, emit) => {
  client.on('disconnect', () => emit('disconnect'));
  client.on('error', (error) => emit('error', { message: error.message }));
};

/**
 * The calls of any client: `clientOf` gives it once it is there, and `methodOf` names its function that takes a method's
 * handler.
 */
const calls = (emit, clientOf, methodOf) => {
  let twin;

  // The client does not tell when it is subscribed; the answer to a later request does.
  const subscribed = async () => {
    twin ??= await clientOf().getTwin();
    await settled((done) => twin.get(done));
  };

  return {
    /** The whole twin. */
    async getTwin() {
      twin = await clientOf().getTwin();
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

    /** Answers a method with the status and payload given, or not at all without a status, and tells what it was called with. */
    async onMethod({ name, status, payload }) {
      clientOf()[methodOf](name, (request, response) => {
        emit('method', { name: request.methodName, payload: request.payload });
        if (status !== undefined) {
          response.send(status, payload).catch((error) => emit('error', { message: error.message }));
        }
      });
      await subscribed();
    },

    async close() {
      await clientOf().close();
    },
  };
};

module.exports = { calls, messageOf, received, watch };
