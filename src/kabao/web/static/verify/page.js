/* The page's part: takes a file, lets it be examined beside the page, shows what was found. Sends nothing. */

import { el, shown, sizeText } from './show.js';

const at = (id) => document.getElementById(id);
const main = at('main');
const known = Object.fromEntries(
  Object.entries(main.dataset).map(([name, list]) => [name, list.split(' ').filter(Boolean)]),
);
const pins = { welcome: known.witnesses };

let number = 0;
let file = null;
let ask = null;

const working = (isWorking) => {
  at('v-run').hidden = !isWorking;
  main.setAttribute('aria-busy', String(isWorking));
};

const progress = (done, total) => {
  const share = Math.floor(total ? 100 * done / total : 100);
  at('v-meter').querySelector('.f1').setAttribute('width', `${share}%`);
  at('v-meter').firstElementChild.setAttribute('aria-label', `已核对 ${share}%`);
  at('v-said').textContent = `已核对 ${share}%，${sizeText(done)} / ${sizeText(total)}`;
};

const result = (...parts) => {
  working(false);
  const place = at('v-result');
  place.replaceChildren(...parts);
  place.hidden = false;
  const [verdict] = parts;
  verdict.tabIndex = -1;
  verdict.focus({ preventScroll: true });
  verdict.scrollIntoView({ block: 'start' });
};

const heard = (message) => {
  if (message.number !== number) return;
  if (message.report) result(...shown(message.report, file, known));
  else if (message.failed) result(el('p', 'note bad', el('span', '', unread(message.failed))));
  else progress(message.done, message.total);
};

const unread = (name) => (name === 'NotReadableError' || name === 'NotFoundError'
  ? '文件读不出来：它被移动、改动，或者没有权限。请再选一次。'
  : `核对中断了（${name}）。请换一个新的浏览器，或者用下面的 verify.py。`);

const begin = (chosen) => {
  if (!chosen) return;
  number += 1;
  file = chosen;
  at('v-result').hidden = true;
  progress(0, file.size);
  working(true);
  ask({ number, file, pins });
};

const stop = () => {
  number += 1;
  working(false);
  ask({ number });
};

/** Without workers made of modules, the page itself does the work, with pauses while the file is read. */
const alone = async () => {
  const { check } = await import('./check.js');
  ask = async ({ number: mine, file: chosen, pins: trusted }) => {
    if (!chosen) return;
    const tell = (done, total) => {
      if (mine !== number) throw new DOMException('', 'AbortError');
      progress(done, total);
    };
    try {
      heard({ number: mine, report: await check(chosen, trusted, tell) });
    } catch (error) {
      heard({ number: mine, failed: error.name });
    }
  };
  ready();
};

const ready = () => {
  at('v-off').hidden = true;
  at('v-on').hidden = false;
};

const listen = () => {
  const box = at('v-on').querySelector('label');
  at('v-file').addEventListener('change', (event) => begin(event.target.files[0]));
  at('v-stop').addEventListener('click', stop);
  // A file dropped beside the box must not make the browser leave the page.
  addEventListener('dragover', (event) => event.preventDefault());
  addEventListener('drop', (event) => {
    event.preventDefault();
    const [dropped] = event.dataTransfer.files;
    if (!dropped || at('v-on').hidden) return;
    box.querySelector('[data-names]').textContent = dropped.name;
    begin(dropped);
  });
};

const start = () => {
  listen();
  if (!globalThis.Worker) return alone();
  const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' });
  ask = (message) => worker.postMessage(message);
  let isReady = false;
  worker.addEventListener('message', ({ data }) => {
    if (!data.ready) return heard(data);
    isReady = true;
    return ready();
  });
  worker.addEventListener('error', () => {
    if (isReady) heard({ number, failed: 'Error' });
    else alone();
  });
  return undefined;
};

if (globalThis.crypto && crypto.subtle) start();
else at('v-off').querySelector('span').textContent =
  '浏览器只在 https 打开的页面上给出核对签名要用的功能。请改用 https 打开本页，或者用下面的两种办法。';
