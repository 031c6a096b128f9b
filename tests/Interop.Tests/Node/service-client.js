'use strict';
// The service clients of azure-iothub, made of the connection string in IOTHUB_CONNECTION_STRING.

const { Client, JobClient, Registry } = require('azure-iothub');

const pages = async (query, next) => {
  const all = [];
  do {
    // Without a token the client would ask for the first page again.
    all.push((await query[next](query.continuationToken)).result);
  } while (query.hasMoreResults);
  return all;
};

module.exports = () => {
  const connection = process.env.IOTHUB_CONNECTION_STRING;
  const registry = Registry.fromConnectionString(connection);
  const client = Client.fromConnectionString(connection);
  const jobs = JobClient.fromConnectionString(connection);

  return {
    /** Any call of the registry: what the hub's answer had in it. */
    async registry({ name, args }) {
      const { responseBody, httpResponse } = await registry[name](...args);
      return { status: httpResponse.statusCode, body: responseBody };
    },

    /** The answer's pages, each an array of rows; twins as the client's own objects. */
    async query({ sql, pageSize, twins = false }) {
      return pages(registry.createQuery(sql, pageSize), twins ? 'nextAsTwin' : 'next');
    },

    /** Reads a twin and changes it by its own etag, or by the one given. */
    async updateTwin({ device, module, patch, etag }) {
      const { responseBody: twin } = await (module ? registry.getModuleTwin(device, module) : registry.getTwin(device));
      twin.etag = etag ?? twin.etag;
      await twin.update(patch);
      return twin;
    },

    async invokeMethod({ device, module, ...method }) {
      const target = module ? [device, module] : [device];
      return (await client.invokeDeviceMethod(...target, method)).result;
    },

    /** Schedules a job for now, or for so many seconds from now. */
    async scheduleJob({ kind, id, condition, action, seconds = 0 }) {
      const start = new Date(Date.now() + seconds * 1000);
      return (await jobs[kind](id, condition, action, start, 300)).jobStatus;
    },

    async job({ name, id }) {
      return (await jobs[name](id)).jobStatus;
    },

    async jobs({ type, status, pageSize }) {
      return pages(jobs.createQuery(type, status, pageSize), 'next');
    },
  };
};
