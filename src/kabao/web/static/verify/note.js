/* Signed notes, verifier keys, checkpoints, cosignatures and proofs as c2sp.org writes them; strict. */

import { base64, equal, hex, join, text, unbase64, utf8 } from './bytes.js';
import { verifies } from './ed25519.js';
import { printable, Wrong } from './report.js';
import { sha256 } from './sha256.js';

const NOTE_KEY = 1;
export const WITNESS_KEY = 4;

const strictBase64 = (letters) => {
  const bytes = unbase64(letters);
  if (!bytes) throw new Wrong('base64 无效，或写法不规范');
  return bytes;
};

/** Read `name+<8 hex digits of the key id>+<base64 of the kind and the 32-byte key>`. */
export const readVerifierKey = (written, kind = NOTE_KEY) => {
  const match = /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/=]{44})$/u.exec(written);
  if (!match || printable(written) !== written) throw new Wrong('公钥的写法无效');
  const raw = strictBase64(match[3]);
  const id = sha256(utf8(match[1] + '\n'), raw).slice(0, 4);
  if (raw.length !== 33 || raw[0] !== kind || hex(id) !== match[2]) throw new Wrong('公钥的编号或种类不符');
  return { name: match[1], id, key: raw.slice(1), written };
};

export const utf8Text = (bytes) => {
  const whole = text(bytes);
  if (whole === null) throw new Wrong('签名文件不是 UTF-8');
  return whole;
};

/** Read lines of an em dash, a name and base64: [{name, raw}]. */
export const readSignatureLines = (lines) => {
  if (!lines) return [];
  if (!lines.endsWith('\n')) throw new Wrong('签名行的写法无效');
  return lines.slice(0, -1).split('\n').map((line) => {
    const match = /^\u2014 ([^\s+\x1c-\x1f\x85]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
    if (!match) throw new Wrong('签名行的写法无效');
    return { name: match[1], raw: strictBase64(match[2]) };
  });
};

/** Return the text of a note that carries exactly one signature, by `key`: no byte stands outside what is checked. */
export const openNote = async (bytes, key) => {
  const whole = utf8Text(bytes);
  const at = whole.lastIndexOf('\n\n');
  const lines = readSignatureLines(at < 0 ? whole : whole.slice(at + 2));
  if (at < 1 || lines.length !== 1) throw new Wrong('签名文件应当只有一个签名');
  const signed = whole.slice(0, at + 1), [{ name, raw }] = lines;
  if (name !== key.name || !equal(raw.subarray(0, 4), key.id)) throw new Wrong(`签名不是由 ${key.name} 作出的`);
  if (!(await verifies(key.key, raw.subarray(4), utf8(signed)))) throw new Wrong('签名无效');
  return signed;
};

/** Read a checkpoint's three lines: {origin, size, root}. */
export const readCheckpoint = (written) => {
  const match = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/=]{44})\n$/.exec(written);
  const root = match && strictBase64(match[3]);
  if (!match || root.length !== 32) throw new Wrong('检查点的写法无效');
  return { origin: match[1], size: Number(match[2]), root };
};

/** Read c2sp.org/tlog-proof@v1: {extra (null where there is none), index, path, note}. */
export const readProof = (content) => {
  const at = content.findIndex((byte, i) => byte === 10 && content[i + 1] === 10);
  const lines = (text(content.subarray(0, Math.max(at, 0))) ?? '').split('\n');
  const rest = content.subarray(at + 2);
  if (at < 0 || lines.shift() !== 'c2sp.org/tlog-proof@v1' || !rest.length) throw new Wrong('证明的写法无效');
  const extra = lines.length && lines[0].startsWith('extra ') ? strictBase64(lines.shift().slice(6)) : null;
  const match = /^index (0|[1-9][0-9]{0,15})$/.exec(lines.shift() ?? '');
  const path = lines.map(strictBase64);
  if (!match || path.some((hash) => hash.length !== 32)) throw new Wrong('证明的写法无效');
  return { extra, index: Number(match[1]), path, note: rest };
};

/** Fold an inclusion proof (RFC 6962, 2.1.1) into the root it leads to; null where its length is wrong. */
export const rootOf = (leaf, index, size, path) => {
  if (index >= size) return null;
  let at = index, last = size - 1, root = leaf;
  const half = () => {
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  };
  for (const sibling of path) {
    if (last === 0) return null;
    if (at % 2 || at === last) {
      root = sha256(Uint8Array.of(1), sibling, root);
      while (at % 2 === 0 && at) half();
    } else {
      root = sha256(Uint8Array.of(1), root, sibling);
    }
    half();
  }
  return last === 0 ? root : null;
};

/** Check a witness's timestamped signature (cosignature/v1) over a checkpoint's text; gives its POSIX time. */
export const cosignatureTime = async (raw, signed, key) => {
  if (raw.length !== 4 + 8 + 64) throw new Wrong('见证签名的长度不对');
  const at = new DataView(raw.slice(4, 12).buffer).getBigUint64(0);
  const message = utf8(`cosignature/v1\ntime ${at}\n${signed}`);
  if (at >> 63n || !(await verifies(key.key, raw.subarray(12), message))) throw new Wrong('见证签名无效');
  return Number(at);
};

/** An Ed25519 key as a SubjectPublicKeyInfo in PEM, the way OpenSSL writes it. */
export const ed25519Pem = (key) => {
  const head = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
  return utf8(`-----BEGIN PUBLIC KEY-----\n${base64(join(head, key))}\n-----END PUBLIC KEY-----\n`);
};
