/* Turns a report into what people read. All that comes from the pack goes in as text. */

import { printable } from './report.js';

const ICONS = { ok: 'check', failed: 'x', absent: 'minus', skipped: 'minus' };
const MARKS = { ok: 'mk', failed: 'mk bad', absent: 'mk o', skipped: 'mk o' };
const SPOKEN = { ok: '成立', failed: '不成立', absent: '包里没有', skipped: '没能核对' };
const SHOWN = { original: '原件', preview: '预览，原件没有放进来', withheld: '没有放进来，只有指纹' };
const PARTS = {
  items: '证据', records: '记录', proofs: '日志证明', checkpoints: '日志检查点', witnesses: '见证签名', timestamps: '时间戳',
  ruling: '裁决',
};
const FAULTS_SHOWN = 20;
const PICTURES = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp' };
const MOST_PICTURES = 60, LARGEST_PICTURE = 20 << 20;

/** Make an element; children are elements or text, false and null are left out. */
export const el = (tag, cls, ...children) => {
  const made = document.createElement(tag);
  if (cls) made.className = cls;
  made.append(...children.filter((child) => child !== null && child !== false));
  return made;
};

const icon = (name) => document.getElementById(`i-${name}`).content.cloneNode(true);

const note = (kind, name, ...children) => el('p', `note ${kind}`, icon(name), el('span', '', ...children));

const card = (title, ...children) => el('section', 'card stack-s', el('h2', '', title), ...children);

const row = (key, ...value) => el('div', 'cell', el('dt', 'k', key), el('dd', 'v', ...value));

const rowCard = (title, list, ...intro) =>
  el('section', 'card flush', el('div', 'pd stack-s', el('h2', '', title), ...intro), list);

const rows = (...pairs) => el('dl', 'cells', ...pairs);

const foreign = (words) => el('bdi', '', printable(words));

/** A moment as records write it, Beijing time. */
const stamp = (iso) => new Date(Date.parse(iso) + 8 * 3600000).toISOString().slice(0, 19).replace('T', ' ');

export const sizeText = (bytes) => {
  // As the site and the papers of a pack write it, so that one file has one size everywhere.
  if (bytes < 1024) return `${bytes} 字节`;
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
};

const where = ({ entry, item, record }) =>
  [entry && printable(entry), item && `第 ${item} 项证据`, record && `第 ${record} 条记录`].filter(Boolean).join('，');

const faultLine = (one) => {
  const place = where(one);
  return el('li', 's13', place && el('b', '', `${place}：`), printable(one.zh));
};

const checkLine = ({ state, title, zh, faults, fault_count: count }) => {
  const more = count - FAULTS_SHOWN;
  return el(
    'li', '', el('span', MARKS[state], icon(ICONS[state]), el('span', 'vh', SPOKEN[state])),
    el(
      'div', 'grow', el('b', 's14', title), el('p', 's13 muted', printable(zh)),
      count > 0 && el('ul', 'faults mt4', ...faults.slice(0, FAULTS_SHOWN).map(faultLine),
        more > 0 && el('li', 's13 muted', `另有 ${more} 处`)),
    ),
  );
};

const isOurs = ({ signer, log }, known) => known.signers.includes(signer) && (!log || known.logs.includes(log.key));

const verdict = ({ exit, refused, checks, about }, name, known) => {
  if (exit === 2) return note('warn', 'triangle-alert', el('b', '', '这不是卡保的证据包。'), '（', foreign(name), `）${refused}。`);
  const failed = checks.filter(({ state }) => state === 'failed');
  if (exit === 0) {
    const who = isOurs(about, known) ? '' : '签名的不是本站，先看下面“谁签的”。';
    const said = `）和做好那一刻一个字节都不差，包里的每项证明都对得上。${who}`;
    return note('ok', 'circle-check', el('b', '', '全部成立。'), '这个文件（', foreign(name), said);
  }
  const what = failed.length ? failed.map(({ title }) => title).join('、') : '清单';
  const ending = about.made_at ? '别拿它当证据；请向给你的人要原来的那份。' : '清单读不出来，后面都没法核对。';
  return note('bad', 'circle-alert', el('b', '', `不成立：${what}。`), '这个文件（', foreign(name), '）和做好时不一样，或者证明对不上。', ending);
};

const aboutRows = ({ title, order, case: dispute, made_at: madeAt, variant }) => el(
  'dl', 'card flush cells',
  row('关于', foreign(title || '没有写')),
  ...(order ? [row('订单', foreign(order))] : []),
  ...(dispute ? [row('案件', foreign(dispute))] : []),
  row('制作于', `${stamp(madeAt)}，北京时间`),
  row('版本', variant === 'full' ? '完整版' : '隐去版：一部分内容没有放进来'),
);

const keyRow = (label, key, known) => row(
  label,
  el('span', `tag ${known.includes(key) ? 'ok' : 'warn'}`, known.includes(key) ? '是本站的' : '不是本站的'),
  el('p', 'hash-full', foreign(key)),
);

const keyCard = ({ about }, known) => {
  const { signer, log } = about;
  const said = isOurs(about, known)
    ? note('ok', 'circle-check', '签名的公钥都是本站公布的。')
    : note('warn', 'triangle-alert', '有公钥不在本站公布的之中。别处做的包也能在这里验，但它是谁做的，要和那一家自己公布的公钥对一对。');
  const list = rows(keyRow('证据包', signer, known.signers), log && keyRow('公开日志', log.key, known.logs));
  return [rowCard('谁签的', list, said)];
};

// Names that begin so belong to the simulated authorities of the demo; no setting may use them.
const SIMULATED = 'sandbox';
const standing = (authority, root, known) => {
  if (authority.startsWith(SIMULATED)) return ['warn', '演示机构，没有证明力'];
  return known.roots.includes(root) ? ['ok', '本站认得的机构'] : ['warn', '本站不认得的机构'];
};

const stampCard = ({ timestamps, cosignatures, notes }, known) => {
  if (!timestamps.length && !cosignatures.length) return [];
  const stamps = timestamps.map(({ authority, at, signer, root_sha256: root }) => {
    const [tone, words] = standing(authority, root, known);
    return row('时间戳', `${stamp(at)}，北京时间`, el('p', 's13', foreign(signer || authority), ' ', el('span', `tag ${tone}`, words)));
  });
  const seen = cosignatures.map(({ name, at }) => row(
    '见证', `${stamp(new Date(at * 1000).toISOString())}，北京时间`, el('p', 's13', foreign(name)),
  ));
  const said = el('p', 's13 muted', '日志在这些时间之前就已经是包里写的样子。');
  const hints = notes.map((hint) => note('warn', 'info', hint));
  return [rowCard('什么时候', rows(...stamps, ...seen), said, ...hints)];
};

const thumb = ({ media_type: type, file: name, kept }, file, isAllowed) => {
  const box = el('span', 'thumb', icon(type.startsWith('image/') ? 'image' : 'file-text'));
  const [, ending] = /\.([a-z]+)$/.exec(name ?? '') || [];
  if (!isAllowed || !kept || !PICTURES[ending] || kept.size > LARGEST_PICTURE) return box;
  const picture = el('img', '');
  const address = URL.createObjectURL(file.slice(kept.start, kept.start + kept.size, PICTURES[ending]));
  picture.addEventListener('load', () => URL.revokeObjectURL(address));
  picture.addEventListener('error', () => picture.remove());
  Object.assign(picture, { src: address, alt: '', loading: 'lazy' });
  box.append(picture);
  return box;
};

const itemCard = ({ about: { items } }, file) => {
  if (!items.length) return [];
  const lines = items.map((item, i) => el(
    'li', '', thumb(item, file, i < MOST_PICTURES),
    el(
      'div', 'grow', el('b', 's14', `证据 ${item.no}：`, foreign(item.name)),
      item.file !== null && item.kept === null && el('span', 'tag bad', '已损坏'),
      el('p', 's13 muted', `${sizeText(item.size)}，${SHOWN[item.shown]}`), el('p', 'hash-full', item.sha256),
    ),
  ));
  return [card('证据清单', el('ul', 'check', ...lines))];
};

/** Show a report about a file: its verdict first, then what it rests on. */
export const shown = (report, file, known) => {
  if (report.exit === 2) return [verdict(report, file.name, known)];
  const { about, absent, checks } = report;
  const parts = [verdict(report, file.name, known), about.made_at && aboutRows(about)];
  // Another version's verifier is no fault of the pack, yet nobody should run what they do not know.
  const isStrange = about.verifier && !known.verifiers.includes(about.verifier);
  parts.push(card(
    '逐项核对', el('ul', 'check', ...checks.map(checkLine)),
    isStrange && note('warn', 'info', '包里的 verify.py 不是本站认得的版本，别运行它；要用就用下面本站的那份。'),
  ));
  if (absent.length) {
    const lines = absent.map(({ part, zh }) => el('li', 's14', el('b', '', `${PARTS[part] || part}：`), foreign(zh)));
    parts.push(card('包里没有的', el('ul', 'stack-s', ...lines)));
  }
  const isSigned = checks.some(({ id, state }) => id === 'signature' && state === 'ok');
  if (about.made_at && isSigned) parts.push(...keyCard(report, known));
  if (about.made_at) parts.push(...stampCard(report, known), ...itemCard(report, file));
  return parts.filter(Boolean);
};
