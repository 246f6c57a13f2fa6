/* Runs the examination beside the page, so that the page stays alive; connects to nothing, its policy sees to that. */

import { check } from './check.js';

class Stopped extends Error {}

let wanted = 0;

addEventListener('message', async ({ data: { number, file, pins } }) => {
  wanted = number;
  if (!file) return;
  const progress = (done, total) => {
    if (number !== wanted) throw new Stopped();
    postMessage({ number, done, total });
  };
  try {
    postMessage({ number, report: await check(file, pins, progress) });
  } catch (error) {
    if (!(error instanceof Stopped)) postMessage({ number, failed: error.name });
  }
});

postMessage({ ready: true });
