'use strict';

const seconds = (begin) => Number(process.hrtime.bigint() - begin) / 1e9;

/** Starts `count` operations, at most `window` of them at a time, and returns the seconds until the last has called back. */
exports.inWindow = (count, window, start) =>
  new Promise((done, fail) => {
    const begin = process.hrtime.bigint();
    let started = 0;
    let ended = 0;
    const next = () => {
      started++;
      start(onEnd);
    };
    const onEnd = (error) => {
      if (error) {
        fail(error);
      } else if (++ended === count) {
        done(seconds(begin));
      } else if (started < count) {
        next();
      }
    };
    for (let i = Math.min(window, count); i > 0; i--) {
      next();
    }
  });

exports.seconds = seconds;
exports.microseconds = (begin) => seconds(begin) * 1e6;
