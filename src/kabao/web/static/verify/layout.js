/* Where things lie in a pack: how its manifest is found, the layout that this makes due, byte for byte, and by which
   names a file differs from it. */

import { equal, join, utf8 } from './bytes.js';
import { FORMAT, MANIFEST, SIGNATURE } from './manifest.js';
import { fault } from './report.js';
import { centralHeader, crc32, differingFields, endRecords, listedInDirectory, LOCAL_SIZE, localHeader, localSize }
  from './zip.js';

/** How a manifest begins, damaged or not. */
const OURS = utf8('{"about":{');
const MANIFEST_LIMIT = 32 << 20, SIGNATURE_LIMIT = 16 << 10;

const headerSize = (name) => localHeader({ name, crc32: 0, size: 0 }).length;

const looksLikeJson = (content) => content[0] === 0x7b && content[content.length - 1] === 0x7d;

const looksLikeANote = (content) =>
  equal(content.subarray(0, FORMAT.length), utf8(FORMAT)) && equal(content.subarray(-2), utf8('=\n'));

/** Read a small entry at its place; where its header is damaged, by what the directory says. */
const contentOf = async (source, name, offset, listed, limit, fits) => {
  const header = headerSize(name);
  const head = await source.load(offset, offset + header);
  const isNamed = equal(head.subarray(LOCAL_SIZE), utf8(name));
  const candidates = [];
  if (head.length === header && (isNamed || listed)) candidates.push([offset + header, localSize(head)]);
  if (listed) candidates.push([offset + header, listed.size], [listed.offset + header, listed.size]);
  let first = null;
  for (const [at, size] of candidates) {
    if (size > limit) continue;
    const content = await source.load(at, at + size);
    if (fits(content)) return content;
    first = first ?? content;
  }
  return first;
};

const includes = (content, word) => {
  for (let at = content.indexOf(word[0]); at >= 0; at = content.indexOf(word[0], at + 1)) {
    if (equal(content.subarray(at, at + word.length), word)) return true;
  }
  return false;
};

/** Return [manifest, signature] as bytes; null where this is no pack. */
export const findManifest = async (source) => {
  const listed = new Map((await listedInDirectory(source) ?? []).map((one) => [one.name, one]));
  const content = await contentOf(source, MANIFEST, 0, listed.get(MANIFEST), MANIFEST_LIMIT, looksLikeJson);
  if (content === null) return null;
  const after = headerSize(MANIFEST) + content.length;
  const signature = await contentOf(source, SIGNATURE, after, listed.get(SIGNATURE), SIGNATURE_LIMIT, looksLikeANote);
  const isOurs = equal(content.subarray(0, OURS.length), OURS) || includes(content, utf8('kabao-pack'));
  if (signature === null && !isOurs) return null;
  return [content, signature ?? new Uint8Array()];
};

/** Place every entry: {entries (with `at` and `start` of their content), offset of the directory, tail from there}. */
export const dueEntries = (manifest, signature, rest) => {
  const own = [[MANIFEST, manifest], [SIGNATURE, signature]]
    .map(([name, content]) => ({ name, size: content.length, crc32: crc32(content) }));
  let offset = 0;
  const entries = [...own, ...rest].map((entry) => {
    const at = offset, start = at + localHeader(entry).length;
    offset = start + entry.size;
    return { ...entry, at, start };
  });
  const directory = join(...entries.map((entry) => centralHeader(entry, entry.at)));
  return { entries, offset, tail: join(directory, endRecords(entries.length, directory.length, offset)) };
};

const headerFaults = ({ checks, manifest }, entry, found, due, isCentral) => {
  for (const name of differingFields(found, due, isCentral)) {
    const target = name === 'size' || name === 'crc32' ? checks.entries : checks.zip;
    target.faults.push(manifest.fault(name, `文件头的 ${name} 不符`, entry.name));
  }
};

/** Compare an entry's own header with the one that is due. */
export const checkHeader = async (examination, entry) => {
  const due = localHeader(entry), found = await examination.source.read(entry.at, due.length);
  if (equal(found, due)) return true;
  headerFaults(examination, entry, found, due, false);
  return false;
};

/** Compare the directory and the end records, and see that nothing follows. */
export const checkDirectory = async (examination, entries, offset, tail) => {
  const { source, checks: { zip } } = examination;
  const found = await source.load(offset, offset + tail.length + 1);
  if (equal(found, tail)) return;
  let at = 0;
  for (const entry of entries) {
    const due = centralHeader(entry, entry.at), there = found.subarray(at, at + due.length);
    if (!equal(there, due)) {
      headerFaults(examination, entry, there, due, true);
      if (source.size !== offset + tail.length) return;
    }
    at += due.length;
  }
  if (!equal(found.subarray(at, tail.length), tail.subarray(at))) zip.faults.push(fault('end', '目录结束标记不符'));
  if (found.length > tail.length) zip.faults.push(fault('after', '压缩包之后还有内容'));
};

/** Say by names how a ZIP that is not canonical differs: added, missing, renamed, twice, in another order, replaced. */
export const differences = async ({ source, manifest }, entries) => {
  const listed = await listedInDirectory(source);
  if (!listed) return [fault('directory', '找不到目录')];
  const due = new Map(entries.map((entry) => [entry.name, entry]));
  const names = listed.map(({ name }) => name), there = new Set(names);
  const same = ({ size, crc32: sum }) => `${size} ${sum}`;
  const contents = new Map(listed.filter(({ name }) => !due.has(name)).map((one) => [same(one), one.name]));
  const faults = [], renamed = new Set();
  for (const entry of entries) {
    if (there.has(entry.name)) continue;
    const now = contents.get(same(entry));
    if (now === undefined) faults.push(manifest.fault('missing', '清单里有，压缩包里没有', entry.name));
    else {
      renamed.add(now);
      faults.push(manifest.fault('renamed', `被改名为 ${now}`, entry.name));
    }
  }
  for (const name of [...there].filter((one) => !due.has(one) && !renamed.has(one)).sort()) {
    faults.push(fault('added', '压缩包里有，清单里没有', name));
  }
  const seen = new Set(), twice = new Set(names.filter((name) => seen.size === seen.add(name).size));
  for (const name of [...twice].sort()) faults.push(manifest.fault('twice', '出现了不止一次', name));
  const shared = names.filter((name) => due.has(name)), wanted = [...due.keys()].filter((name) => there.has(name));
  const wrong = Array.from({ length: Math.max(shared.length, wanted.length) }, (_, i) => i)
    .find((i) => shared[i] !== wanted[i]);
  if (wrong !== undefined) {
    const first = wrong < Math.min(shared.length, wanted.length) ? shared[wrong] : shared[shared.length - 1];
    faults.push(manifest.fault('order', '不在应有的位置', first));
  }
  for (const one of listed) {
    const entry = due.get(one.name);
    if (entry && same(one) !== same(entry)) {
      faults.push(manifest.fault('replaced', '大小或 CRC-32 与清单不符', one.name));
    }
  }
  return faults;
};
