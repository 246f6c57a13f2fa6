/* Canonical JSON (RFC 8785), integers only. */

import { equal, text, utf8 } from './bytes.js';
import { Wrong } from './report.js';

const DEEPEST = 400;

/** Write canonical JSON. Throws Wrong for what has no such form. */
const written = (value, depth = 0) => {
  if (depth > DEEPEST) throw new Wrong('不是有效的 JSON');
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new Wrong('不是有效的 JSON');
  if (typeof value === 'string' && /\p{Cs}/u.test(value)) throw new Wrong('不是有效的 JSON');
  if (Array.isArray(value)) return `[${value.map((one) => written(one, depth + 1)).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  // The default order of JavaScript, by UTF-16 code units, is the one that RFC 8785 wants.
  const pairs = Object.keys(value).sort().map((key) => `${written(key)}:${written(value[key], depth + 1)}`);
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
  if (!equal(utf8(written(value)), content)) throw new Wrong('JSON 的写法不规范');
  return value;
};
