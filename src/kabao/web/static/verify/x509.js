/* Certificates (RFC 5280), as far as a timestamp authority's need, the way from one to a root, and their signatures:
   RSA (PKCS #1 v1.5 and PSS) and ECDSA (P-256, P-384), with SHA-2. The mathematics is the browser's; which key and
   which algorithm go together is decided here. */

import { equal, hex, unbase64, unhex } from './bytes.js';
import { BIT_STRING, BOOLEAN, children, Fields, INTEGER, integer, malformed, NULL, OBJECT_ID, OCTET_STRING, oid, only,
  readDer, readTime, SEQUENCE, tagged } from './der.js';
import { printable, Wrong } from './report.js';

const known = (dotted) => hex(oid(dotted));
const BASIC_CONSTRAINTS = known('2.5.29.19'), KEY_USAGE = known('2.5.29.15'), KEY_PURPOSE = known('2.5.29.37');
export const KEY_IDENTIFIER = known('2.5.29.14');
/** Extensions that may be critical; the last, policies, restricts nothing where no policy is asked for. */
const UNDERSTOOD = [BASIC_CONSTRAINTS, KEY_USAGE, KEY_PURPOSE, known('2.5.29.32')];
const TIME_STAMPING = known('1.3.6.1.5.5.7.3.8'), ANY_PURPOSE = known('2.5.29.37.0');
/** Bits of the first byte of keyUsage: digitalSignature or nonRepudiation; keyCertSign. */
const MAY_SIGN = 0b11000000, MAY_CERTIFY = 0b00000100;
const SHOWN_NAMES = [known('2.5.4.3'), known('2.5.4.10'), known('2.5.4.6')];
const BMP_STRING = 0x1e;
const CHAIN_LIMIT = 8, CHECKS_LIMIT = 16;

/** Take a certificate apart. Throws Wrong. */
export const readCertificate = (raw) => {
  const outer = new Fields(readDer(raw));
  const signed = outer.take(SEQUENCE), algorithm = outer.take(SEQUENCE), signature = outer.take(BIT_STRING);
  outer.end();
  const fields = new Fields(signed);
  fields.maybe(tagged(0));
  const serial = fields.take(INTEGER).body, inner = fields.take(SEQUENCE), issuer = fields.take(SEQUENCE).raw;
  const validity = new Fields(fields.take(SEQUENCE)).left, subject = fields.take(SEQUENCE).raw;
  const key = fields.take(SEQUENCE).raw;
  fields.maybe(tagged(1, false));
  fields.maybe(tagged(2, false));
  const listed = fields.maybe(tagged(3));
  fields.end();
  if (validity.length !== 2 || !equal(inner.raw, algorithm.raw) || signature.body[0]) throw malformed();
  return {
    raw, signed: signed.raw, algorithm: algorithm.raw, signature: signature.body.subarray(1), serial, issuer, subject,
    key, since: readTime(validity[0]), until: readTime(validity[1]), extensions: readExtensions(listed),
  };
};

const readExtensions = (listed) => {
  const extensions = new Map();
  for (const one of listed ? new Fields(only(listed)).left : []) {
    const fields = new Fields(one);
    const kind = hex(fields.take(OBJECT_ID).body), critical = fields.maybe(BOOLEAN);
    if (extensions.has(kind)) throw malformed();
    extensions.set(kind, { isCritical: Boolean(critical && critical.body[0]), value: fields.take(OCTET_STRING).body });
    fields.end();
  }
  return extensions;
};

/** Read every certificate of a PEM file. */
export const readPem = (content) => {
  const blocks = new TextDecoder('latin1').decode(content).split('-----BEGIN CERTIFICATE-----').slice(1);
  const encoded = blocks.map((block) => block.split('-----END CERTIFICATE-----')).filter(({ length }) => length > 1);
  return encoded.map(([block]) => {
    const raw = unbase64(block.replace(/[\t-\r\x1c-\x1f ]+/g, ''));
    if (!raw) throw new Wrong('base64 无效，或写法不规范');
    return readCertificate(raw);
  });
};

/** Write the parts of a name that tell people who it is: common name, organisation, country. */
export const shownSubject = (name) => {
  const found = new Map();
  for (const pair of children(readDer(name)).flatMap(children)) {
    const fields = new Fields(pair), kind = hex(fields.take(OBJECT_ID).body), [value] = fields.left;
    if (value) found.set(kind, new TextDecoder(value.tag === BMP_STRING ? 'utf-16be' : 'utf-8').decode(value.body));
  }
  return printable(SHOWN_NAMES.filter((kind) => found.has(kind)).map((kind) => found.get(kind)).join(', '));
};

const purposes = ({ extensions }) => (extensions.has(KEY_PURPOSE)
  ? new Fields(readDer(extensions.get(KEY_PURPOSE).value)).left.map(({ body }) => hex(body)) : null);

const may = ({ extensions }, bits) => {
  if (!extensions.has(KEY_USAGE)) return true;
  const { tag, body } = readDer(extensions.get(KEY_USAGE).value);
  return tag === BIT_STRING && body.length > 1 && Boolean(body[1] & bits);
};

/** Whether it may certify others, and how many authorities may stand below it. */
const authority = ({ extensions }) => {
  if (!extensions.has(BASIC_CONSTRAINTS)) return [false, null];
  const fields = new Fields(readDer(extensions.get(BASIC_CONSTRAINTS).value));
  const isAuthority = fields.maybe(BOOLEAN), below = fields.maybe(INTEGER);
  fields.end();
  return [Boolean(isAuthority && isAuthority.body[0]), below && integer(below)];
};

const isNotUnderstood = ({ extensions }) =>
  [...extensions].some(([kind, { isCritical }]) => isCritical && !UNDERSTOOD.includes(kind));

const isValid = ({ since, until }, at) => since <= at && at <= until;

/** The signer's certificate is for timestamps and nothing else, and was valid at that time. Throws Wrong. */
export const checkSigner = (signer, at) => {
  const purpose = purposes(signer);
  if (!purpose || purpose.join() !== TIME_STAMPING || !signer.extensions.get(KEY_PURPOSE).isCritical) {
    throw new Wrong('签署证书不是专用于时间戳的');
  }
  if (authority(signer)[0] || !may(signer, MAY_SIGN) || isNotUnderstood(signer)) {
    throw new Wrong('签署证书不能用于签署时间戳');
  }
  if (!isValid(signer, at)) throw new Wrong('签署证书在所盖时间无效');
};

const unfit = (issuer, below, at) => {
  const [mayCertify, limit] = authority(issuer), purpose = purposes(issuer);
  if (!mayCertify || !may(issuer, MAY_CERTIFY) || (limit !== null && limit < BigInt(below))) return '上级证书无权签发证书';
  if (purpose && !purpose.includes(TIME_STAMPING) && !purpose.includes(ANY_PURPOSE)) return '上级证书不能用于时间戳';
  if (isNotUnderstood(issuer)) return '上级证书有不认识的关键扩展';
  return isValid(issuer, at) ? null : '上级证书在所盖时间无效';
};

/** Find the root that a certificate leads to, everything between valid at a moment. Throws Wrong. */
export const rootOf = async (signer, others, roots, at) => {
  const anchors = roots.filter((root) => equal(root.issuer, root.subject));
  const trusted = new Set(anchors.map(({ raw }) => hex(raw)));
  const candidates = new Map([...anchors, ...roots, ...others].map((one) => [hex(one.raw), one]));
  let checksLeft = CHECKS_LIMIT, reason = '证书链没有通到所信任的根证书';
  const isSigned = async (one, { key }) => {
    checksLeft -= 1;
    return checksLeft >= 0 && signatureHolds(key, one.algorithm, null, one.signed, one.signature);
  };
  const climb = async (one, below) => {
    for (const [name, issuer] of candidates) {
      if (!equal(issuer.subject, one.issuer) || name === hex(one.raw)) continue;
      try {
        if (!(await isSigned(one, issuer))) continue;
      } catch (wrong) {
        if (!(wrong instanceof Wrong)) throw wrong;
        reason = wrong.message;
        continue;
      }
      const why = unfit(issuer, below, at);
      if (why) reason = why;
      else if (trusted.has(name)) return issuer;
      const root = why || below >= CHAIN_LIMIT ? null : await climb(issuer, below + 1);
      if (root) return root;
    }
    return null;
  };
  const root = await climb(signer, 0);
  if (!root) throw new Wrong(reason);
  return root;
};

const named = (table) => new Map(Object.entries(table).map(([dotted, value]) => [hex(oid(dotted)), value]));

const HASHES = named({
  '2.16.840.1.101.3.4.2.1': 'SHA-256', '2.16.840.1.101.3.4.2.2': 'SHA-384', '2.16.840.1.101.3.4.2.3': 'SHA-512',
});
const SIGNED_WITH = named({
  '1.2.840.113549.1.1.11': ['rsa', 'SHA-256'], '1.2.840.113549.1.1.12': ['rsa', 'SHA-384'],
  '1.2.840.113549.1.1.13': ['rsa', 'SHA-512'], '1.2.840.10045.4.3.2': ['ec', 'SHA-256'],
  '1.2.840.10045.4.3.3': ['ec', 'SHA-384'], '1.2.840.10045.4.3.4': ['ec', 'SHA-512'],
});
const CURVES = named({ '1.2.840.10045.3.1.7': ['P-256', 32], '1.3.132.0.34': ['P-384', 48] });
const [RSA, RSA_PSS, MGF1, EC] =
  ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.10', '1.2.840.113549.1.1.8', '1.2.840.10045.2.1']
    .map((dotted) => hex(oid(dotted)));

const unsupported = () => new Wrong('不支持的签名算法');

/** Read an AlgorithmIdentifier of SHA-256, SHA-384 or SHA-512. */
export const hashOf = (algorithm) => {
  const fields = new Fields(algorithm);
  const name = HASHES.get(hex(fields.take(OBJECT_ID).body));
  fields.maybe(NULL);
  fields.end();
  if (!name) throw new Wrong('不支持的摘要算法');
  return name;
};

export const digest = async (name, bytes) => new Uint8Array(await crypto.subtle.digest(name, bytes));

/** Check a signature by a SubjectPublicKeyInfo; `hash` is what a bare rsaEncryption is read with. Throws Wrong. */
export const signatureHolds = async (key, algorithm, hash, message, signature) => {
  const fields = new Fields(readDer(algorithm)), info = new Fields(readDer(key));
  const identifier = hex(fields.take(OBJECT_ID).body), parameters = fields.maybe(SEQUENCE);
  fields.maybe(NULL);
  fields.end();
  const kind = new Fields(info.take(SEQUENCE)), publicKey = info.take(BIT_STRING).body.subarray(1);
  const keyKind = hex(kind.take(OBJECT_ID).body);
  const how = identifier === RSA && hash ? ['rsa', hash] : SIGNED_WITH.get(identifier);
  if (how && hash && how[1] !== hash) throw new Wrong('签名算法与摘要算法不一致');
  if (how && how[0] === 'ec' && keyKind === EC) {
    const curve = CURVES.get(hex(kind.take(OBJECT_ID).body));
    if (!curve) throw new Wrong('不支持的椭圆曲线');
    if (publicKey[0] !== 4 || publicKey.length !== 1 + 2 * curve[1]) return false;
    const plain = plainEcdsa(signature, curve[1]);
    return plain !== null && asks(key, { name: 'ECDSA', namedCurve: curve[0], hash: how[1] }, plain, message);
  }
  if (keyKind !== RSA || (how ? how[0] !== 'rsa' : identifier !== RSA_PSS)) throw unsupported();
  const size = rsaSize(publicKey);
  const kindOf = how ? { name: 'RSASSA-PKCS1-v1_5', hash: how[1] } : pss(parameters);
  return signature.length === size && asks(key, kindOf, signature, message);
};

const asks = async (key, algorithm, signature, message) => {
  try {
    const known = await crypto.subtle.importKey('spki', key, algorithm, false, ['verify']);
    return await crypto.subtle.verify(algorithm, known, signature, message);
  } catch {
    return false;  // what the browser does not take for a key has signed nothing
  }
};

/** Check an RSA key's measures; gives the bytes of its modulus. */
const rsaSize = (key) => {
  const fields = new Fields(readDer(key));
  const modulus = integer(fields.take(INTEGER)), exponent = integer(fields.take(INTEGER));
  fields.end();
  const length = modulus > 0n ? modulus.toString(2).length : 0;
  const isOdd = modulus & exponent & 1n, isMeasured = length >= 2048 && length <= 16384;
  if (!isOdd || !isMeasured || exponent < 3n || exponent >> 64n) throw new Wrong('RSA 公钥不可用');
  return Math.ceil(length / 8);
};

/** A signature of r and s as the browser wants it: both in full length, one after the other; null for none. */
const plainEcdsa = (signature, size) => {
  const fields = new Fields(readDer(signature));
  const numbers = [integer(fields.take(INTEGER)), integer(fields.take(INTEGER))];
  fields.end();
  if (numbers.some((value) => value <= 0n || value >> BigInt(8 * size))) return null;
  return unhex(numbers.map((value) => value.toString(16).padStart(2 * size, '0')).join(''), 2 * size);
};

/** RSASSA-PSS with explicit SHA-2 parameters, the mask made with the same digest. */
const pss = (parameters) => {
  if (!parameters) throw malformed();
  const fields = new Fields(parameters);
  const [hash, mask, salt, trailer] = [0, 1, 2, 3].map((n) => fields.maybe(tagged(n)));
  fields.end();
  if (!hash || !mask || trailer) throw unsupported();
  const name = hashOf(only(hash)), generator = new Fields(only(mask));
  if (hex(generator.take(OBJECT_ID).body) !== MGF1 || hashOf(generator.take(SEQUENCE)) !== name) throw unsupported();
  return { name: 'RSA-PSS', hash: name, saltLength: salt ? Number(integer(only(salt))) : 20 };
};
