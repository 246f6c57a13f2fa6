/* DER (X.690), strictly: definite lengths in their shortest form, no other spelling of a value, nothing left over. */

import { equal, number } from './bytes.js';
import { Wrong } from './report.js';

export const BOOLEAN = 0x01, INTEGER = 0x02, BIT_STRING = 0x03, OCTET_STRING = 0x04, NULL = 0x05, OBJECT_ID = 0x06;
export const UTC_TIME = 0x17, GENERALIZED_TIME = 0x18, SEQUENCE = 0x30, SET = 0x31;
const ENUMERATED = 0x0a, CONSTRUCTED = 0x20, TAG_CLASS = 0xc0, DEEPEST = 32;

/** The tag [number] of a context. */
export const tagged = (n, isConstructed = true) => 0x80 | n | (isConstructed ? CONSTRUCTED : 0);

export const malformed = () => new Wrong('不是规范的 DER 编码，或结构不符');

const valueAt = (bytes, at) => {
  if (at + 2 > bytes.length || (bytes[at] & 0x1f) === 0x1f) throw malformed();
  let start = at + 2, length = bytes[at + 1];
  if (length & 0x80) {
    start += length & 0x7f;
    const written = bytes.subarray(at + 2, start);
    length = Number(number(written));
    if (!written.length || !written[0] || length < 0x80 || written.length > 4) throw malformed();
  }
  if (start + length > bytes.length) throw malformed();
  return { tag: bytes[at], body: bytes.subarray(start, start + length), raw: bytes.subarray(at, start + length) };
};

/** Take a constructed value apart. */
export const children = ({ body }) => {
  const found = [];
  for (let at = 0; at < body.length; at += found[found.length - 1].raw.length) found.push(valueAt(body, at));
  return found;
};

/** The one value within another. */
export const only = (value) => {
  const [one, ...more] = children(value);
  if (!one || more.length) throw malformed();
  return one;
};

const isInteger = (body) => {
  const isPadded = body.length > 1 && (body[0] === 0 || body[0] === 0xff) && !((body[0] ^ body[1]) & 0x80);
  return body.length > 0 && !isPadded;
};

/** What the content of a primitive value must be like, by tag. */
const STRICT = {
  [BOOLEAN]: (body) => body.length === 1 && (body[0] === 0 || body[0] === 0xff),
  [INTEGER]: isInteger,
  [ENUMERATED]: isInteger,
  [BIT_STRING]: (body) => {
    const unused = body.length ? body[0] : 8;
    return unused < 8 && (!unused || (body.length > 1 && !(body[body.length - 1] & ((1 << unused) - 1))));
  },
  [NULL]: (body) => !body.length,
  [OBJECT_ID]: (body) => body.length > 0 && !(body[body.length - 1] & 0x80)
    && body.every((byte, i) => byte !== 0x80 || (i > 0 && body[i - 1] & 0x80)),
  [SEQUENCE & ~CONSTRUCTED]: () => false,
  [SET & ~CONSTRUCTED]: () => false,
};

const beStrict = (value, depth) => {
  if (value.tag & CONSTRUCTED) {
    const isUniversal = !(value.tag & TAG_CLASS);
    if (!depth || (isUniversal && value.tag !== SEQUENCE && value.tag !== SET)) throw malformed();
    for (const child of children(value)) beStrict(child, depth - 1);
  } else if (STRICT[value.tag] && !STRICT[value.tag](value.body)) {
    throw malformed();
  }
};

/** Read one value that fills the bytes, strict all the way down; what lies in OCTET STRINGs is read by its user. */
export const readDer = (bytes) => {
  const value = valueAt(bytes, 0);
  if (value.raw.length !== bytes.length) throw malformed();
  beStrict(value, DEEPEST);
  return value;
};

/** The fields of a SEQUENCE, taken one after another. */
export class Fields {
  constructor(value, tag = SEQUENCE) {
    if (value.tag !== tag) throw malformed();
    this.left = children(value);
  }

  /** Take the next field, which must be there and have this tag. */
  take(tag) {
    const found = this.maybe(tag);
    if (!found) throw malformed();
    return found;
  }

  /** Take the next field if it has this tag. */
  maybe(tag) {
    return this.left.length && this.left[0].tag === tag ? this.left.shift() : null;
  }

  /** See that nothing is left. */
  end() {
    if (this.left.length) throw malformed();
  }
}

/** Read an INTEGER. */
export const integer = ({ body }) => BigInt.asIntN(8 * body.length, number(body));

/** Encode an object identifier: its content, without tag and length. */
export const oid = (dotted) => {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  return Uint8Array.from([40 * first + second, ...rest].flatMap((value) => {
    const groups = [value % 128];
    while ((value = Math.floor(value / 128))) groups.unshift(value % 128 | 0x80);
    return groups;
  }));
};

/** Tell whether a value is this object identifier. */
export const isOid = (value, wanted) => equal(value.body, wanted);

/** Read UTCTime or GeneralizedTime, a fraction only in the latter, without a trailing zero: microseconds from 1970. */
export const readTime = ({ tag, body }) => {
  let written = String.fromCharCode(...body);
  if (tag === UTC_TIME && /^\d{12}Z$/.test(written)) written = (written >= '50' ? '19' : '20') + written;
  else if (tag !== GENERALIZED_TIME || !/^\d{14}(\.\d{0,8}[1-9])?Z$/.test(written)) throw malformed();
  const iso = written.replace(/^(....)(..)(..)(..)(..)(..).*/, '$1-$2-$3T$4:$5:$6');
  const at = new Date(iso + 'Z'), fraction = written.slice(15, 21).replace('Z', '').padEnd(6, '0');
  if (Number.isNaN(at.getTime()) || !at.toISOString().startsWith(iso) || iso.startsWith('0000')) throw malformed();
  return at.getTime() * 1000 + Number(fraction);
};
