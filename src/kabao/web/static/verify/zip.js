/* The canonical ZIP: for a list of names and contents there is one sequence of bytes, and these functions write its
   headers; what a damaged or foreign ZIP lists is read only to say what happened to it. */

import { equal, join, text, utf8 } from './bytes.js';
import { printable } from './report.js';

const FULL16 = 0xffff, FULL32 = 0xffffffff;
const DATE_1980 = 0x21, UNIX_20 = 0x314, REGULAR_FILE = 0o100644 * 0x10000;
const LOCAL = 30, CENTRAL = 46, END = 22, END64 = 56, LOCATOR = 20;
const LONGEST_TAIL = 65557;
const LONGEST_DIRECTORY = 64 << 20;

/** Little-endian numbers of 2, 4 or 8 bytes, one after the other: [size, value, size, value, …]. */
const packed = (...pairs) => {
  const view = new DataView(new ArrayBuffer(pairs.reduce((sum, size, i) => (i % 2 ? sum : sum + size), 0)));
  for (let i = 0, at = 0; i < pairs.length; at += pairs[i], i += 2) {
    if (pairs[i] === 2) view.setUint16(at, pairs[i + 1], true);
    else if (pairs[i] === 4) view.setUint32(at, pairs[i + 1], true);
    else view.setBigUint64(at, BigInt(pairs[i + 1]), true);
  }
  return new Uint8Array(view.buffer);
};

/** What stands before an entry's content. */
export const localHeader = ({ name, crc32, size }) => {
  const raw = utf8(name);
  const fixed = packed(
    4, 0x04034b50, 2, 20, 2, 0, 2, 0, 2, 0, 2, DATE_1980, 4, crc32, 4, size, 4, size, 2, raw.length, 2, 0,
  );
  return join(fixed, raw);
};

/** An entry's line of the directory; an offset of 4 GiB - 1 or more goes into a ZIP64 field. */
export const centralHeader = ({ name, crc32, size }, offset) => {
  const raw = utf8(name), isFar = offset >= FULL32;
  const extra = isFar ? packed(2, 1, 2, 8, 8, offset) : new Uint8Array();
  const fixed = packed(
    4, 0x02014b50, 2, UNIX_20, 2, isFar ? 45 : 20, 2, 0, 2, 0, 2, 0, 2, DATE_1980, 4, crc32, 4, size, 4, size,
    2, raw.length, 2, extra.length, 2, 0, 2, 0, 2, 0, 4, REGULAR_FILE, 4, isFar ? FULL32 : offset,
  );
  return join(fixed, raw, extra);
};

/** What stands after the directory of `size` bytes at `offset`. */
export const endRecords = (count, size, offset) => {
  const [few, small, near] = [Math.min(count, FULL16), Math.min(size, FULL32), Math.min(offset, FULL32)];
  const end = packed(4, 0x06054b50, 2, 0, 2, 0, 2, few, 2, few, 4, small, 4, near, 2, 0);
  if (few !== FULL16 && small !== FULL32 && near !== FULL32) return end;
  const end64 = packed(
    4, 0x06064b50, 8, END64 - 12, 2, 0x32d, 2, 45, 4, 0, 4, 0, 8, count, 8, count, 8, size, 8, offset,
  );
  return join(end64, packed(4, 0x07064b50, 4, 0, 8, offset + size, 4, 1), end);
};

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? n >>> 1 ^ 0xedb88320 : n >>> 1;
  return n;
});

export const crc32 = (bytes) => {
  let crc = -1;
  for (const byte of bytes) crc = crc >>> 8 ^ TABLE[(crc ^ byte) & 0xff];
  return ~crc >>> 0;
};

const number = (bytes, at, size) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (size === 8) return Number(view.getBigUint64(at, true));
  return size === 4 ? view.getUint32(at, true) : view.getUint16(at, true);
};

const LOCAL_FIELDS = [
  ['signature', 4], ['version', 2], ['flags', 2], ['method', 2], ['time', 2], ['date', 2], ['crc32', 4], ['size', 4],
  ['size', 4], ['name', 2], ['extra', 2],
];
const CENTRAL_FIELDS = [
  ['signature', 4], ['maker', 2], ...LOCAL_FIELDS.slice(1), ['comment', 2], ['disk', 2], ['attributes', 2],
  ['attributes', 4], ['offset', 4],
];

/** Name the fields in which a header differs from the one that is due. */
export const differingFields = (found, due, isCentral) => {
  const size = isCentral ? CENTRAL : LOCAL;
  if (found.length < size) return ['signature'];
  const names = new Set();
  let at = 0;
  for (const [name, length] of isCentral ? CENTRAL_FIELDS : LOCAL_FIELDS) {
    if (!equal(found.subarray(at, at + length), due.subarray(at, at + length))) names.add(name);
    at += length;
  }
  if (!equal(found.subarray(size), due.subarray(size))) names.add('name');
  return [...names];
};

const shownName = (raw) => {
  const name = text(raw) ?? Array.from(raw, (byte) => (
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`
  )).join('');
  return printable(name);
};

/** Read the directory at the end, leniently: [{name, size, crc32, offset}]; null where there is none. */
export const listedInDirectory = async (source) => {
  const tailStart = Math.max(0, source.size - LONGEST_TAIL);
  const tail = await source.load(tailStart, source.size);
  let at = tail.length - 4;
  while (at >= 0 && (tail[at] !== 0x50 || number(tail, at, 4) !== 0x06054b50)) at--;
  if (at < 0 || tail.length - at < END) return null;
  let size = number(tail, at + 12, 4), end = tailStart + at;
  if (at >= LOCATOR && number(tail, at - LOCATOR, 4) === 0x07064b50) {
    end -= LOCATOR + END64;
    const record = end < 0 ? [] : await source.load(end, end + END64);
    size = record.length === END64 ? number(record, 40, 8) : 0;
  }
  if (end - size < 0 || size > LONGEST_DIRECTORY) return null;
  return [...centralEntries(await source.load(end - size, end))];
};

function* centralEntries(directory) {
  for (let at = 0; directory.length - at >= CENTRAL && number(directory, at, 4) === 0x02014b50;) {
    const [nameSize, extraSize, commentSize] = [28, 30, 32].map((place) => number(directory, at + place, 2));
    const name = directory.subarray(at + CENTRAL, at + CENTRAL + nameSize);
    const extra = directory.subarray(at + CENTRAL + nameSize).subarray(0, extraSize);
    let offset = number(directory, at + 42, 4);
    if (offset === FULL32 && extra.length >= 12 && number(extra, 0, 4) === 0x00080001) offset = number(extra, 4, 8);
    yield { name: shownName(name), size: number(directory, at + 24, 4), crc32: number(directory, at + 16, 4), offset };
    at += CENTRAL + nameSize + extraSize + commentSize;
  }
}

/** The size and the start that an entry's own header states. */
export const localSize = (head) => number(head, 22, 4);
export { LOCAL as LOCAL_SIZE };
