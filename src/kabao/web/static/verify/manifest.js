/* The manifest: exactly which keys it has, what each may hold, and what its lists must agree on. */

import { text } from './bytes.js';
import { isShallow, readJson } from './json.js';
import { fault, Wrong } from './report.js';

export const FORMAT = 'kabao-pack/1', MANIFEST = 'manifest.json', SIGNATURE = 'manifest.sig';

const ENTRY_LIMIT = 0xfffffffe;
/** Bytes of an entry that is looked into and not only hashed, by role. */
export const KEPT_LIMITS = {
  record: 1 << 20, proof: 64 << 10, checkpoint: 16 << 10, witnesses: 64 << 10, timestamp: 256 << 10,
  authority: 1 << 20, key: 4 << 10,
};
const KEPT_TOTAL = 64 << 20;
const CHECKPOINTS_LIMIT = 100, TIMESTAMPS_LIMIT = 100;
const NAME_LIMIT = 100, NUMBER_LIMIT = 999999;
const NAME = /^(?:[a-z0-9][a-z0-9._-]*(?:\/[a-z0-9][a-z0-9._-]*)*|VERIFY\.txt)$/;
const SECOND = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
export const MICROSECOND = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const ROLES = [
  'item', 'preview', 'record', 'proof', 'checkpoint', 'witnesses', 'timestamp', 'authority', 'key', 'ruling',
  'index', 'paper', 'verifier', 'guide', 'document',
];
const REFERRED = ROLES.slice(0, 8);
export const KEPT_TO_THE_END = ['checkpoint', 'witnesses', 'timestamp', 'authority', 'key'];
const PARTS = ['items', 'records', 'proofs', 'checkpoints', 'timestamps', 'ruling'];
const REQUIRED = { 'VERIFY.txt': 'guide', 'keys/signer.pem': 'key', 'verify.py': 'verifier' };

const letters = (limit) => (value) =>
  typeof value === 'string' && value.length <= 2 * limit && Array.from(value).length <= limit;
const matching = (pattern) => (value) => typeof value === 'string' && pattern.test(value);
const integer = (limit = Number.MAX_SAFE_INTEGER, least = 0) => (value) =>
  typeof value === 'number' && value >= least && value <= limit;
const oneOf = (...words) => (value) => words.includes(value);
const entryName = (value) => typeof value === 'string' && value.length <= NAME_LIMIT && NAME.test(value);
const hex64 = matching(/^[0-9a-f]{64}$/), word = matching(/^[a-z][a-z0-9_.-]{0,63}$/);

class Maybe {
  constructor(shape) {
    this.shape = shape;
  }
}
const maybe = (shape) => new Maybe(shape);

const SHAPE = {
  format: oneOf(FORMAT),
  variant: oneOf('full', 'redacted'),
  about: { order: maybe(letters(100)), case: maybe(letters(100)), title: letters(500) },
  made_at: matching(SECOND),
  signer: letters(300),
  log: maybe({ origin: letters(200), key: letters(300) }),
  parts: Object.fromEntries(PARTS.map((part) => [part, integer()])),
  files: [{
    name: entryName, size: integer(ENTRY_LIMIT), crc32: matching(/^[0-9a-f]{8}$/), sha256: hex64, role: oneOf(...ROLES),
  }],
  items: [{
    no: integer(NUMBER_LIMIT, 1), name: letters(500), media_type: letters(100), size: integer(), sha256: hex64,
    record: maybe(integer(NUMBER_LIMIT, 1)), file: maybe(entryName), shown: oneOf('original', 'preview', 'withheld'),
  }],
  records: [{
    no: integer(NUMBER_LIMIT, 1), kind: word, commitment: maybe(hex64), body: maybe(entryName), proof: maybe(entryName),
  }],
  checkpoints: [{
    file: entryName, witnesses: maybe(entryName),
    timestamps: [{ authority: letters(200), file: entryName, roots: entryName }],
  }],
  absent: [{ part: word, why: letters(500) }],
};

const has = (value, key) => Object.prototype.hasOwnProperty.call(value, key);

export const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Tell whether an object has these keys and no other. */
export const hasKeys = (value, keys) =>
  isObject(value) && Object.keys(value).length === keys.length && keys.every((key) => has(value, key));

const firstOf = (found) => found.find((path) => path !== null) ?? null;

/** Give the path of the first value that is not of the shape, or null. */
const outOfShape = (value, shape, path = '') => {
  if (shape instanceof Maybe) return value === null ? null : outOfShape(value, shape.shape, path);
  if (typeof shape === 'function') return shape(value) ? null : path;
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return path;
    return firstOf(value.map((one, i) => outOfShape(one, shape[0], `${path}/${i}`)));
  }
  if (!hasKeys(value, Object.keys(shape))) return path || '/';
  return firstOf(Object.keys(shape).map((key) => outOfShape(value[key], shape[key], `${path}/${key}`)));
};

/** Tell whether a text is a time in UTC that exists. */
export const isTime = (value, pattern) => {
  if (typeof value !== 'string' || !pattern.test(value) || value.startsWith('0000')) return false;
  const seconds = value.slice(0, 19), at = new Date(seconds + 'Z');
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(seconds);
};

export class Manifest {
  constructor(value) {
    this.value = value;
    this.entries = value.files.map((one) => ({ ...one, crc32: parseInt(one.crc32, 16) }));
    this.byName = new Map(this.entries.map((entry) => [entry.name, entry]));
    this.items = value.items;
    this.records = value.records;
    this.checkpoints = value.checkpoints;
    this.stamps = this.checkpoints.flatMap((point) => point.timestamps.map((stamp) => ({ point, stamp })));
    this.itemOf = new Map(this.items.filter(({ file }) => file !== null).map((item) => [item.file, item]));
    this.recordOf = new Map();
    for (const record of this.records) {
      for (const name of [record.body, record.proof]) if (name !== null) this.recordOf.set(name, record);
    }
  }

  /** Make a fault about an entry, with the number of the item or record it belongs to. */
  fault(code, zh, entry) {
    return fault(code, zh, entry, this.itemOf.get(entry)?.no ?? null, this.recordOf.get(entry)?.no ?? null);
  }
}

/** Read the manifest: [manifest, faults]; null for one whose shape leaves nothing to go on. */
export const readManifest = (content) => {
  let value;
  try {
    value = readJson(content);
  } catch (wrong) {
    if (!(wrong instanceof Wrong)) throw wrong;
    return [null, [fault('json', wrong.message, MANIFEST)]];
  }
  if (isObject(value) && has(value, 'format') && value.format !== FORMAT) {
    return [null, [fault('format', `这里只认得 ${FORMAT} 格式`, MANIFEST)]];
  }
  const where = outOfShape(value, SHAPE);
  if (where !== null) return [null, [fault('shape', `${where} 处的值不符合格式`, MANIFEST)]];
  const manifest = new Manifest(value);
  const faults = [fileFaults, listFaults, numberFaults, partFaults].flatMap((faultsOf) => [...faultsOf(manifest)]);
  if (!isTime(value.made_at, SECOND)) faults.push(fault('time', 'made_at 不是存在的时间', MANIFEST));
  return [manifest, faults];
};

function* fileFaults(manifest) {
  const names = manifest.entries.map(({ name }) => name);
  if (names.some((name, i) => i && names[i - 1] >= name)) yield fault('order', '文件没有按名称排序，或有重复', MANIFEST);
  const folders = new Set();
  for (const name of names) {
    for (let at = name.indexOf('/'); at >= 0; at = name.indexOf('/', at + 1)) folders.add(name.slice(0, at));
  }
  for (const name of names) {
    if ([MANIFEST, SIGNATURE, 'verify.txt'].includes(name) || folders.has(name)) {
      yield fault('name', `文件名 ${name} 不可用`, MANIFEST);
    }
  }
  for (const [name, role] of Object.entries(REQUIRED)) {
    if (manifest.byName.get(name)?.role !== role) yield fault('required', `缺少 ${name}`, MANIFEST);
  }
  for (const { name, role, size } of manifest.entries) {
    if (size > (KEPT_LIMITS[role] ?? ENTRY_LIMIT)) yield manifest.fault('too_large', '文件过大', name);
  }
  const kept = manifest.entries.filter(({ role }) => KEPT_TO_THE_END.includes(role));
  if (kept.reduce((sum, { size }) => sum + size, 0) > KEPT_TOTAL) {
    yield fault('too_large', '检查点、时间戳等文件合计过大', MANIFEST);
  }
}

/** The lists point at the entries they must, and every such entry is pointed at. */
function* listFaults(manifest) {
  const pointed = [...pointers(manifest)];
  for (const [name, role, due] of pointed) {
    if (manifest.byName.get(name)?.role !== role || !due.test(name)) {
      yield manifest.fault('pointer', '清单指向的文件不存在或类别不符', name);
    }
  }
  const names = pointed.filter(([, role]) => role !== 'authority').map(([name]) => name);
  if (new Set(names).size !== names.length) yield fault('pointer', '两处指向同一个文件', MANIFEST);
  const everything = new Set(pointed.map(([name]) => name));
  for (const { name, role } of manifest.entries) {
    if (REFERRED.includes(role) && !everything.has(name)) {
      yield fault('unlisted', '清单的条目中没有提到这个文件', name);
    }
  }
  if (manifest.checkpoints.length > CHECKPOINTS_LIMIT || manifest.stamps.length > TIMESTAMPS_LIMIT) {
    yield fault('too_many', '检查点或时间戳过多', MANIFEST);
  }
}

/** Give each name the lists point at, with the role and the pattern that are due. */
function* pointers(manifest) {
  for (const { file, shown } of manifest.items) {
    if (file === null) continue;
    yield shown === 'preview' ? [file, 'preview', /^previews\/[^/]+$/] : [file, 'item', /^items\/[^/]+$/];
  }
  for (const { no, body, proof } of manifest.records) {
    const number = String(no).padStart(6, '0');
    if (body !== null) yield [body, 'record', exactly(`records/${number}.json`)];
    if (proof !== null) yield [proof, 'proof', exactly(`proofs/${number}.tlog-proof`)];
  }
  for (const { file, witnesses, timestamps } of manifest.checkpoints) {
    yield [file, 'checkpoint', /^checkpoints\/(?:0|[1-9][0-9]{0,15})\.txt$/];
    if (witnesses !== null) yield [witnesses, 'witnesses', exactly(`${file.slice(0, -4)}.witnesses`)];
    for (const stamp of timestamps) {
      yield [stamp.file, 'timestamp', /^timestamps\/[^/]+\.tsr$/];
      yield [stamp.roots, 'authority', /^authorities\/[^/]+\.pem$/];
    }
  }
}

const exactly = (due) => ({ test: (name) => name === due });

/** Numbers rise; items and records do not contradict themselves. */
function* numberFaults({ items, records, value }) {
  for (const numbered of [items, records]) {
    if (numbered.some(({ no }, i) => i && no <= numbered[i - 1].no)) {
      yield fault('numbers', '编号没有递增', MANIFEST);
    }
  }
  for (const { no, file, shown, record } of items) {
    if ((file === null) !== (shown === 'withheld') || (record === null && value.log !== null)) {
      yield fault('item', '该项的写法自相矛盾', null, no);
    }
  }
  for (const { no, body, proof, commitment } of records) {
    if ((proof === null) !== (commitment === null) || proof === body) {
      yield fault('record', '该条的写法自相矛盾', null, null, no);
    }
  }
}

/** The counts of `parts` hold, and what is not there is said to be absent. */
function* partFaults(manifest) {
  const { value, items, records, checkpoints, stamps, byName } = manifest;
  const proofs = records.filter(({ proof }) => proof !== null).length;
  const counted = {
    items: items.length, records: records.length, proofs, checkpoints: checkpoints.length, timestamps: stamps.length,
    ruling: Number(byName.has('ruling/ruling.json')),
  };
  const absent = new Set(value.absent.map(({ part }) => part));
  for (const [part, number] of Object.entries(counted)) {
    if (value.parts[part] !== number) yield fault('parts', `${part} 的数目应为 ${number}`, MANIFEST);
    if (number === 0 && part !== 'items' && part !== 'ruling' && !absent.has(part)) {
      yield fault('absent', `没有说明为何缺少 ${part}`, MANIFEST);
    }
  }
  if (proofs > 0 && proofs < records.length && !absent.has('proofs')) {
    yield fault('absent', '没有说明为何有记录缺少证明', MANIFEST);
  }
  if (value.log === null && (proofs || checkpoints.length)) yield fault('log', '有证明而没有日志', MANIFEST);
  if (byName.has('keys/log.pem') !== (value.log !== null)) {
    yield fault('required', 'keys/log.pem 与清单的 log 不一致', MANIFEST);
  }
}

/** Take the signer from a manifest, even from one whose form is wrong. */
export const signerOf = (content) => {
  try {
    const value = JSON.parse(text(content) ?? '');
    return isObject(value) && isShallow(value) && typeof value.signer === 'string' ? value.signer : '';
  } catch {
    return '';
  }
};
