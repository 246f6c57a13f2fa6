/* Canonical JSON (RFC 8785), integers only. */

import { equal, text, utf8 } from './bytes.js';
import { Wrong } from './report.js';

/** How many arrays and objects may lie in one another; without a number each reader would have its own. */
const DEEPEST = 64;

const isNest = (value) => typeof value === 'object' && value !== null;

export const isShallow = (value) => {
  let level = [value].filter(isNest);
  for (let i = 0; i < DEEPEST; i++) level = level.flatMap((one) => Object.values(one).filter(isNest));
  return !level.length;
};

/** Write canonical JSON. Throws Wrong for what has no such form. */
const written = (value) => {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Wrong('不是有效的 JSON');
  if (typeof value === 'string' && /\p{Cs}/u.test(value)) throw new Wrong('不是有效的 JSON');
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  // The default order of JavaScript, by UTF-16 code units, is the one that RFC 8785 wants.
  const pairs = Object.keys(value).sort().map((key) => `${written(key)}:${written(value[key])}`);
  return `{${pairs.join(',')}}`;
};

/** Read canonical JSON; throws Wrong for whatever is not written the one canonical way. */
export const readJson = (content) => {
  let value;
  try {
    value = JSON.parse(text(content) ?? '');
  } catch {
    throw new Wrong('不是有效的 JSON');
  }
  if (!isShallow(value)) throw new Wrong('JSON 嵌套过深');
  if (!equal(utf8(written(value)), content)) throw new Wrong('JSON 的写法不规范');
  return value;
};
