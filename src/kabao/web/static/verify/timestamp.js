/* Timestamp responses (RFC 3161 in CMS, RFC 5652): that each is over the bytes of its checkpoint, was signed by an
   authority whose certificates lead to a root, and when. */

import { BOOLEAN, children, Fields, GENERALIZED_TIME, INTEGER, integer, isOid, malformed, OBJECT_ID, OCTET_STRING, oid,
  only, readDer, readTime, SEQUENCE, SET, tagged } from './der.js';
import { equal, hex, join } from './bytes.js';
import { Wrong } from './report.js';
import { sha256 } from './sha256.js';
import { checkSigner, digest, hashOf, KEY_IDENTIFIER, readCertificate, readPem, rootOf, shownSubject,
  signatureHolds } from './x509.js';

const SIGNED_DATA = oid('1.2.840.113549.1.7.2'), TST_INFO = oid('1.2.840.113549.1.9.16.1.4');
const CONTENT_TYPE = hex(oid('1.2.840.113549.1.9.3')), MESSAGE_DIGEST = hex(oid('1.2.840.113549.1.9.4'));
const SIGNING_CERTIFICATE = hex(oid('1.2.840.113549.1.9.16.2.12'));
const SIGNING_CERTIFICATE_V2 = hex(oid('1.2.840.113549.1.9.16.2.47'));

/**
 * Check a TimeStampResp over a message by certificates that lead to one of the roots, both PEM; `more` may stand
 * between. Gives {at: in microseconds since 1970, signer: its name, root: the root's SHA-256 in hex}. Throws Wrong.
 */
export const checkTimestamp = async (response, message, roots, more) => {
  const token = readToken(response);
  const { imprint, at } = readInfo(token.info);
  if (!equal(imprint, sha256(message))) throw new Wrong('时间戳盖的不是这个检查点');
  const signer = signerCertificate(token);
  await checkAttributes(token, signer);
  // What is signed is the set as such, not in its place (RFC 5652, 5.4).
  const signed = join(Uint8Array.of(SET), token.attributes.raw.subarray(1));
  if (!(await signatureHolds(signer.key, token.algorithm, token.hash, signed, token.signature))) {
    throw new Wrong('时间戳的签名无效');
  }
  checkSigner(signer, at);
  const root = await rootOf(signer, [...token.certificates, ...readPem(more)], readPem(roots), at);
  return { at, signer: shownSubject(signer.subject), root: hex(sha256(root.raw)) };
};

/** Take a granted TimeStampResp apart. */
const readToken = (response) => {
  const outer = new Fields(readDer(response));
  const status = integer(new Fields(outer.take(SEQUENCE)).take(INTEGER));
  if (status !== 0n && status !== 1n) throw new Wrong('时间戳机构没有盖时间戳');
  const content = new Fields(outer.take(SEQUENCE));
  outer.end();
  if (!isOid(content.take(OBJECT_ID), SIGNED_DATA)) throw malformed();
  const data = new Fields(only(content.take(tagged(0))));
  content.end();
  const version = integer(data.take(INTEGER)), digests = children(data.take(SET));
  const inner = new Fields(data.take(SEQUENCE)), carried = data.maybe(tagged(0));
  data.maybe(tagged(1));
  const signers = data.take(SET);
  data.end();
  if (!isOid(inner.take(OBJECT_ID), TST_INFO)) throw new Wrong('不是时间戳');
  const info = only(inner.take(tagged(0)));
  inner.end();
  const signer = readSigner(only(signers));
  if (info.tag !== OCTET_STRING || version !== 3n) throw malformed();
  if (!digests.map(hashOf).includes(signer.hash)) throw malformed();
  const listed = carried ? children(carried).filter(({ tag }) => tag === SEQUENCE) : [];
  return { info: info.body, certificates: listed.map(({ raw }) => readCertificate(raw)), ...signer };
};

const readSigner = (value) => {
  const fields = new Fields(value);
  const version = integer(fields.take(INTEGER));
  const signer = fields.maybe(SEQUENCE) ?? fields.take(tagged(0, false));
  // By how the signer names its certificate: issuer and serial, or key identifier (RFC 5652, 5.3).
  if (version !== (signer.tag === SEQUENCE ? 1n : 3n)) throw malformed();
  const hash = hashOf(fields.take(SEQUENCE));
  const attributes = fields.take(tagged(0)), algorithm = fields.take(SEQUENCE).raw;
  const signature = fields.take(OCTET_STRING).body;
  fields.maybe(tagged(1));
  fields.end();
  return { signer, hash, attributes, algorithm, signature };
};

/** Read a TSTInfo: the SHA-256 it is over, and its time. */
const readInfo = (content) => {
  const fields = new Fields(readDer(content));
  const version = integer(fields.take(INTEGER));
  fields.take(OBJECT_ID);
  const imprint = new Fields(fields.take(SEQUENCE));
  fields.take(INTEGER);
  const at = readTime(fields.take(GENERALIZED_TIME));
  // Accuracy, ordering, nonce, tsa, extensions.
  for (const tag of [SEQUENCE, BOOLEAN, INTEGER, tagged(0), tagged(1)]) fields.maybe(tag);
  fields.end();
  const hash = hashOf(imprint.take(SEQUENCE)), stamped = imprint.take(OCTET_STRING).body;
  imprint.end();
  if (version !== 1n || hash !== 'SHA-256') throw new Wrong('时间戳不是对 SHA-256 所盖');
  return { imprint: stamped, at };
};

/** Find the certificate that the signer names, by issuer and serial or by key identifier. */
const signerCertificate = ({ certificates, signer }) => {
  const found = certificates.find((one) => {
    if (signer.tag !== SEQUENCE) {
      const identifier = one.extensions.get(KEY_IDENTIFIER);
      return Boolean(identifier) && equal(readDer(identifier.value).body, signer.body);
    }
    const fields = new Fields(signer);
    const issuer = fields.take(SEQUENCE).raw, serial = fields.take(INTEGER).body;
    fields.end();
    return equal(issuer, one.issuer) && equal(serial, one.serial);
  });
  if (!found) throw new Wrong('时间戳没有附上签署它的证书');
  return found;
};

/** What is signed: that it is a timestamp, its digest, and which certificate it is to be read with. */
const checkAttributes = async (token, signer) => {
  const attributes = new Map();
  for (const one of children(token.attributes)) {
    const fields = new Fields(one);
    const kind = hex(fields.take(OBJECT_ID).body), value = fields.take(SET);
    fields.end();
    if (attributes.has(kind)) throw malformed();
    attributes.set(kind, value);
  }
  const content = attributes.get(CONTENT_TYPE), body = attributes.get(MESSAGE_DIGEST);
  if (!content || !body || !isOid(only(content), TST_INFO)) throw new Wrong('时间戳缺少必须签署的内容');
  if (!equal(only(body).body, await digest(token.hash, token.info))) throw new Wrong('时间戳内容的摘要不符');
  const kinds = [SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2].filter((kind) => attributes.has(kind));
  let isNamed = kinds.length > 0;
  for (const kind of kinds) isNamed = isNamed && (await names(signer, only(attributes.get(kind)), kind));
  if (!isNamed) throw new Wrong('时间戳没有指明这张证书');
};

/** Tell whether a SigningCertificate (RFC 2634) or its second version (RFC 5816) begins with this certificate. */
const names = async (certificate, value, kind) => {
  const fields = new Fields(new Fields(new Fields(value).take(SEQUENCE)).take(SEQUENCE));
  // SHA-1 only says which of the certificates is meant; the signature itself is made with SHA-2.
  let hash = 'SHA-1';
  if (kind === SIGNING_CERTIFICATE_V2) {
    const algorithm = fields.maybe(SEQUENCE);
    hash = algorithm ? hashOf(algorithm) : 'SHA-256';
  }
  const isSame = equal(fields.take(OCTET_STRING).body, await digest(hash, certificate.raw));
  const issued = fields.maybe(SEQUENCE);
  fields.end();
  if (!issued) return isSame;
  const issuer = new Fields(issued);
  const who = children(issuer.take(SEQUENCE)), serial = issuer.take(INTEGER).body;
  const isIssuer = who.length === 1 && who[0].tag === tagged(4) && equal(only(who[0]).raw, certificate.issuer);
  return isSame && isIssuer && equal(serial, certificate.serial);
};

/** A moment in microseconds since 1970 as records write it. */
const written = (at) => {
  const fraction = at % 1000000;
  const seconds = new Date(Math.floor(at / 1000000) * 1000).toISOString().slice(0, 19);
  return `${seconds}${fraction ? `.${String(fraction).padStart(6, '0')}` : ''}+00:00`;
};

/** Check every timestamp of a pack under examination and tell when each was made and to which root it leads. */
export const checkStamps = async (examination) => {
  const { checks: { timestamps: done }, manifest, pins, report } = examination;
  for (const { point, stamp } of manifest.stamps) {
    await done.noting('timestamp', stamp.file, null, null, async () => {
      const carried = examination.whole(stamp.roots);
      const [response, note] = [examination.whole(stamp.file), examination.whole(point.file)];
      const { at, signer, root } = await checkTimestamp(response, note, pins.authorities ?? carried, carried);
      const { authority, file } = stamp;
      report.timestamps.push({ authority, file, checkpoint: point.file, at: written(at), signer, root_sha256: root });
    });
  }
  const count = manifest.stamps.length;
  done.ends(count ? `${count} 个，各由自己的机构签发，盖的都是这个检查点` : '包里没有时间戳', count ? 'ok' : 'absent');
  if (count) compareTimes(examination);
};

/** Say where a record's own time is later than a stamp over the log it stands in: a clock was wrong. */
const compareTimes = (examination) => {
  const { report, bodies, salts } = examination, ends = examination.proofsEndIn();
  const meant = report.timestamps.filter((one) => ends.has(one.checkpoint));
  const stamped = meant.map(({ at }) => at.slice(0, 19)).sort();
  if (!stamped.length) {
    report.absent.push({ part: 'timestamps', zh: '证明所归的检查点没有时间戳' });
    return;
  }
  const late = [...bodies].filter(([no, { at }]) => salts.has(no) && at.slice(0, 19) > stamped[0]).map(([no]) => no);
  if (late.length) report.notes.push(`第 ${late.slice(0, 20).join('、')} 条记录自称的时间晚于时间戳，记录者的时钟可能不准。`);
};
