/* The examination of a pack, from front to back, as `verify.py` does it: the same checks, in the same order. */

import { equal, hex, text, unhex } from './bytes.js';
import { readJson } from './json.js';
import { checkDirectory, checkHeader, differences, dueEntries, findManifest } from './layout.js';
import { FORMAT, hasKeys, isObject, isTime, KEPT_LIMITS, KEPT_TO_THE_END, MICROSECOND, readManifest, SIGNATURE,
  signerOf } from './manifest.js';
import { cosignatureTime, ed25519Pem, openNote, readCheckpoint, readProof, readSignatureLines, readVerifierKey, rootOf,
  utf8Text, WITNESS_KEY } from './note.js';
import { fault, Report, Wrong } from './report.js';
import { Sha256, sha256 } from './sha256.js';
import { Source } from './source.js';
import { checkStamps } from './timestamp.js';

const ITEM_FIELDS = ['sha256', 'name', 'media_type', 'size'];
const NO_PINS = { signers: [], logs: [], witnesses: [], welcome: [], authorities: null, verifiers: null };

/**
 * Examine a pack, a Blob. What the reader trusts beforehand goes into `pins`: verifier keys of signers, logs and
 * witnesses, certificates in PEM, digests of verify.py; witnesses in `welcome` are checked where they cosigned.
 */
export const check = async (blob, pins = {}, progress = () => {}) =>
  (await new Examination(new Source(blob), { ...NO_PINS, ...pins }, progress).run()).plain();

class Examination {
  constructor(source, pins, progress) {
    Object.assign(this, { source, pins, progress, report: new Report() });
    this.checks = this.report.checks;
    /** Entries whose content is not what the manifest says, or that could not be read. */
    this.damaged = new Set();
    this.kept = new Map();
    /** Of the records whose proof holds: the salt in it. */
    this.salts = new Map();
    this.places = new Set();
    this.proofEnds = new Set();
    this.roots = null;
    /** What records say, as far as other checks need it. */
    this.bodies = new Map();
  }

  async run() {
    const found = await findManifest(this.source);
    if (!found) {
      this.report.refused = '不是 ZIP，或其中没有卡保证据包的清单';
      return this.report;
    }
    const [manifest, faults] = readManifest(found[0]);
    this.checks.manifest.faults.push(...faults);
    this.checks.manifest.ends('规范');
    await this.checkSignature(...found);
    if (!manifest) return this.report;
    this.manifest = manifest;
    // Where the manifest's lists do not go together, nothing that they point at can be judged.
    this.listsHold = !faults.length;
    this.describe();
    await this.stream(...found);
    this.locate();
    this.checkVerifier();
    await this.checkKeys();
    if (!this.listsHold) return this.report;
    await this.checkItems();
    this.endRecordsAndProofs();
    await this.checkCheckpoints();
    await this.checkWitnesses();
    await checkStamps(this);
    return this.report;
  }

  describe() {
    const { about, variant, made_at, parts, signer, log, items, absent } = this.manifest.value;
    const verifier = this.manifest.byName.get('verify.py')?.sha256 ?? null, own = items.map((item) => ({ ...item }));
    this.report.about = { ...about, variant, made_at, parts, signer, log, verifier, items: own };
    this.report.absent.push(...absent.map(({ part, why }) => ({ part, zh: why })));
  }

  /** Say where in the file an item's content lies, for who wants to look at it. */
  locate() {
    const places = new Map(this.entries.map((entry) => [entry.name, entry]));
    for (const item of this.report.about.items) {
      const entry = this.damaged.has(item.file) ? null : places.get(item.file);
      item.kept = entry ? { start: entry.start, size: entry.size } : null;
    }
  }

  async checkSignature(content, signature) {
    const done = this.checks.signature, signer = signerOf(content);
    await done.noting('signature', SIGNATURE, null, null, async () => {
      const signed = await openNote(signature, readVerifierKey(signer));
      if (signed !== `${FORMAT}\n${hex(sha256(content))}\n`) throw new Wrong('签名签的不是这份清单');
      if (this.pins.signers.length && !this.pins.signers.includes(signer)) throw new Wrong('签名人不是您指定的');
    });
    done.ends('由清单写明的签名人签署');
  }

  /** Compare every header with the one that is due, hash every content, and look into what needs it. */
  async stream(content, signature) {
    const { entries, offset, tail } = dueEntries(content, signature, this.manifest.entries);
    const due = offset + tail.length, { zip } = this.checks;
    this.entries = entries;
    if (this.source.size !== due) zip.faults.push(fault('size', `文件应有 ${due} 字节，实有 ${this.source.size}`));
    let read = 0;
    for (; read < entries.length; read++) {
      const holds = await checkHeader(this, entries[read]);
      // In a file of another length what stands here is another entry; what follows cannot be told apart.
      if ((!holds && this.source.size !== due) || !(await this.content(entries[read]))) break;
    }
    for (const { name } of entries.slice(read)) this.damaged.add(name);
    if (read === entries.length) await checkDirectory(this, entries, offset, tail);
    if (zip.faults.length || this.checks.entries.faults.length) zip.faults.push(...await differences(this, entries));
    if (read < entries.length) {
      this.checks.entries.faults.push(this.manifest.fault('unread', '从这个文件起无法核验', entries[read].name));
    }
    zip.ends(`规范，${entries.length} 个文件，${this.source.size} 字节`);
    this.checks.entries.ends(`${this.manifest.entries.length} 个文件与清单一致`);
  }

  /** Hash an entry's content; false where the file ends before it does. */
  async content(entry) {
    const { name, size, role, start } = entry;
    const isKept = role in KEPT_LIMITS && size <= KEPT_LIMITS[role];
    if (start + size > this.source.size) {
      this.checks.zip.faults.push(this.manifest.fault('ends_early', '文件在这个条目中间就结束了', name));
      return false;
    }
    const digest = new Sha256();
    let kept = null;
    if (isKept) {
      kept = (await this.source.read(start, size)).slice();
      digest.update(kept);
    } else {
      await this.source.pieces(start, size, (piece, end) => {
        digest.update(piece);
        this.progress(end, this.source.size);
      });
    }
    this.progress(start + size, this.source.size);
    if (entry.sha256 === undefined) return true;
    if (hex(digest.digest()) !== entry.sha256) {
      this.checks.entries.faults.push(this.manifest.fault('digest', '内容与清单的 SHA-256 不符', name));
      this.damaged.add(name);
    } else if (kept) {
      await this.lookInto(entry, kept);
    }
    return true;
  }

  /** Take from a whole entry what later checks need; proofs and records are done with at once. */
  async lookInto({ name, role }, content) {
    if (!this.listsHold && role !== 'key') return;
    const record = this.manifest.recordOf.get(name);
    if (role === 'proof' && record?.proof === name) await this.checkProof(record, content);
    else if (role === 'record' && record?.body === name) await this.checkRecord(record, content);
    else if (KEPT_TO_THE_END.includes(role)) this.kept.set(name, content);
  }

  whole(name) {
    const content = this.kept.get(name);
    if (!content) throw new Wrong('文件缺失或已损坏');
    return content;
  }

  checkVerifier() {
    const done = this.checks.verifier, entry = this.manifest.byName.get('verify.py'), { verifiers } = this.pins;
    if (!entry || this.damaged.has(entry.name)) done.faults.push(fault('damaged', '不是清单所写的那个', 'verify.py'));
    else if (verifiers && !verifiers.includes(entry.sha256)) {
      done.faults.push(fault('unknown', '不是已知的版本；请不要运行包里的 verify.py', 'verify.py'));
    }
    done.ends('与清单一致');
  }

  /** The PEM files, which OpenSSL reads, hold the keys that the manifest names. */
  async checkKeys() {
    const { signer, log } = this.manifest.value, done = this.checks.keys;
    for (const [name, key] of [['keys/signer.pem', signer], ...(log ? [['keys/log.pem', log.key]] : [])]) {
      await done.noting('key', name, null, null, () => {
        if (!equal(this.whole(name), ed25519Pem(readVerifierKey(key).key))) throw new Wrong('不是清单里的那把公钥');
      });
    }
    done.ends('与清单里的公钥一致');
  }

  /** A proof ends in one of the pack's checkpoints and leads from the commitment to it. */
  async checkProof(record, content) {
    await this.checks.proofs.noting('proof', record.proof, null, record.no, () => {
      const { extra, index, path, note } = readProof(content);
      const checkpoint = this.checkpoints().get(hex(note));
      if (!checkpoint) throw new Wrong('证明所依据的检查点不在包里');
      if ((extra === null) !== (record.body === null) || (extra && extra.length !== 32)) {
        throw new Wrong('随机盐的有无或长度不对');
      }
      const leaf = sha256(Uint8Array.of(0), unhex(record.commitment, 32));
      const root = rootOf(leaf, index, checkpoint.size, path);
      if (!root || !equal(root, checkpoint.root)) throw new Wrong('该记录不在日志的这个位置');
      if (this.places.has(index)) throw new Wrong('与另一条记录在日志的同一位置');
      this.salts.set(record.no, extra);
      this.places.add(index);
      this.proofEnds.add(hex(note));
    });
  }

  /** The checkpoints by their notes' bytes, read once; their files stand before the first proof. */
  checkpoints() {
    if (this.roots) return this.roots;
    this.roots = new Map();
    for (const { file } of this.manifest.checkpoints) {
      const note = this.kept.get(file);
      try {
        if (note) this.roots.set(hex(note), readCheckpoint((text(note) ?? '').split('\n\n', 1)[0] + '\n'));
      } catch (wrong) {
        if (!(wrong instanceof Wrong)) throw wrong;  // else said by the check of checkpoints
      }
    }
    return this.roots;
  }

  /** A body has its form, and is what the commitment in the log was made of. */
  async checkRecord(record, content) {
    await this.checks.records.noting('record', record.body, null, record.no, () => {
      const { at, content: told } = readRecord(content, record.kind, this.manifest.value.about.order);
      if (record.proof !== null) {
        const salt = this.salts.get(record.no);
        if (!salt) throw new Wrong('证明无效，无从核对承诺值');
        if (hex(sha256(salt, content)) !== record.commitment) throw new Wrong('内容与日志里的承诺值不符');
      }
      const fields = [...ITEM_FIELDS, 'preview_sha256'].map((field) => [field, told[field] ?? null]);
      this.bodies.set(record.no, { at, ...Object.fromEntries(fields) });
    });
  }

  /** Say of records and proofs what could not be read at all, and end the two checks. */
  endRecordsAndProofs() {
    const { records, proofs } = this.checks, { items, entries, records: listed } = this.manifest;
    for (const record of listed) {
      for (const [name, done] of [[record.body, records], [record.proof, proofs]]) {
        if (name !== null && this.damaged.has(name)) {
          done.faults.push(fault('damaged', '文件缺失或已损坏', name, null, record.no));
        }
      }
    }
    if (this.proofEnds.size > 1) proofs.faults.push(fault('checkpoints', '各条证明没有归于同一个检查点'));
    const known = new Set([...items, ...entries].map((one) => one.sha256));
    for (const [no, told] of this.bodies) {
      if (typeof told.sha256 === 'string' && !known.has(told.sha256)) {
        this.report.absent.push({ part: 'items', zh: `第 ${no} 条记录提到的文件不在包里` });
      }
    }
    if (!listed.length) records.ends('包里没有记录', 'absent');
    else records.ends(`${listed.length} 条，其中 ${this.bodies.size} 条附有内容，与日志里的承诺值一致`);
    if (!this.salts.size && !proofs.faults.length) proofs.ends('包里没有日志证明', 'absent');
    else proofs.ends(`${this.salts.size} 条记录都在日志的所示位置`);
  }

  /** Each item against its file and against the record that fixed it. */
  async checkItems() {
    const done = this.checks.items, { items, records } = this.manifest;
    const numbers = new Map(records.map((record) => [record.no, record]));
    for (const item of items) {
      await done.noting('item', item.file, item.no, item.record, () => this.checkItem(item, numbers.get(item.record)));
    }
    const bare = new Set(records.filter(({ body }) => body === null).map(({ no }) => no));
    const unseen = items.filter(({ record }) => bare.has(record)).map(({ no }) => no);
    if (unseen.length) {
      const listed = unseen.slice(0, 20).join('、');
      this.report.absent.push({ part: 'records', zh: `第 ${listed} 项证据的记录未附内容，没有核对` });
    }
    const count = (way) => items.filter(({ shown }) => shown === way).length;
    const said = `${items.length} 项：原件 ${count('original')}，预览 ${count('preview')}，未附 ${count('withheld')}`;
    done.ends(items.length ? said : '包里没有证据文件', items.length ? 'ok' : 'absent');
  }

  checkItem(item, record) {
    const entry = item.file === null ? null : this.manifest.byName.get(item.file);
    if (item.file !== null) {
      if (!entry || this.damaged.has(entry.name)) throw new Wrong('文件缺失或已损坏');
      if (item.shown === 'original' && (entry.sha256 !== item.sha256 || entry.size !== item.size)) {
        throw new Wrong('文件不是该项所写的原件');
      }
    }
    if (item.record === null) return;
    if (!record) throw new Wrong('所指的记录不存在');
    if (record.body === null) return;
    const told = this.bodies.get(record.no);
    if (!told) throw new Wrong('所指的记录无效');
    if (told.sha256 !== item.sha256) throw new Wrong('与记录里的 SHA-256 不符');
    for (const name of ITEM_FIELDS) {
      if (told[name] !== null && told[name] !== item[name]) throw new Wrong(`与记录里的 ${name} 不符`);
    }
    if (item.shown === 'preview' && told.preview_sha256 !== null && told.preview_sha256 !== entry.sha256) {
      throw new Wrong('预览不是记录里的那份');
    }
  }

  /** Each checkpoint's signature, origin and name. */
  async checkCheckpoints() {
    const done = this.checks.checkpoint, points = this.manifest.checkpoints;
    for (const { file } of points) {
      await done.noting('checkpoint', file, null, null, () => this.checkCheckpoint(file));
    }
    const sizes = [...this.checkpoints().values()].map(({ size }) => size).join('、');
    done.ends(points.length ? `日志第 ${sizes} 条处，由日志的公钥签署` : '包里没有检查点', points.length ? 'ok' : 'absent');
  }

  async checkCheckpoint(name) {
    const log = this.manifest.value.log ?? { origin: '', key: '' };
    const key = readVerifierKey(log.key);
    const { origin, size } = readCheckpoint(await openNote(this.whole(name), key));
    if (origin !== log.origin) throw new Wrong('检查点属于另一个日志');
    if (name !== `checkpoints/${size}.txt`) throw new Wrong('文件名与日志大小不符');
    if (this.pins.logs.length && !this.pins.logs.includes(log.key)) throw new Wrong('日志的公钥不是您指定的');
  }

  /** The cosignatures of the witnesses that are known; others cannot be told from noise. */
  async checkWitnesses() {
    const done = this.checks.witnesses, { witnesses, welcome } = this.pins;
    const keys = [...witnesses, ...welcome].map((key) => readVerifierKey(key, WITNESS_KEY));
    let lines = 0;
    for (const point of this.manifest.checkpoints) {
      if (point.witnesses === null) continue;
      await done.noting('witness', point.witnesses, null, null, async () => {
        const found = readSignatureLines(utf8Text(this.whole(point.witnesses)));
        lines += found.length;
        await this.checkCosignatures(point.file, found, keys);
      });
    }
    const due = this.proofsEndIn(), { cosignatures } = this.report;
    const seen = new Set(cosignatures.filter((one) => due.has(one.checkpoint)).map(({ key }) => key));
    for (const { name, id } of keys.slice(0, witnesses.length)) {
      if (!seen.has(hex(id))) done.faults.push(fault('witness', `没有 ${name} 的见证签名`));
    }
    const told = keys.filter(({ id }) => seen.has(hex(id))).map(({ name }) => name).join('、');
    if (told || witnesses.length) done.ends(`${told} 已见证`);
    else done.ends(lines ? `${lines} 行，见证人不在已知之列，未核验` : '包里没有见证签名', 'absent');
  }

  /** The files of the checkpoints in which proofs end; without proofs, of all. */
  proofsEndIn() {
    const files = new Map(this.manifest.checkpoints.map(({ file }) => [hex(this.kept.get(file) ?? []), file]));
    const isEnd = ([note]) => this.proofEnds.has(note) || !this.proofEnds.size;
    return new Set([...files].filter(isEnd).map(([, file]) => file));
  }

  async checkCosignatures(checkpoint, lines, keys) {
    const whole = text(this.whole(checkpoint)) ?? '';
    const signed = whole.slice(0, Math.max(0, whole.lastIndexOf('\n\n'))) + '\n';
    for (const key of keys) {
      for (const { name, raw } of lines) {
        if (name !== key.name || !equal(raw.subarray(0, 4), key.id)) continue;
        const at = await cosignatureTime(raw, signed, key);
        this.report.cosignatures.push({ name, key: hex(key.id), checkpoint, at });
      }
    }
  }
}

/** Read a record's body, which must be of this kind and, where the pack is about an order, of this order. */
const readRecord = (content, kind, order) => {
  const body = readJson(content);
  const isFormed = hasKeys(body, ['v', 'kind', 'order', 'at', 'by', 'content']) && body.v === 1;
  if (!isFormed || !isObject(body.content)) throw new Wrong('记录的写法不符合格式');
  if (body.kind !== kind) throw new Wrong('种类与清单不符');
  if (order !== null && body.order !== order) throw new Wrong('属于另一个订单');
  if (!isTime(body.at, MICROSECOND)) throw new Wrong('时间的写法不符合格式');
  return body;
};
