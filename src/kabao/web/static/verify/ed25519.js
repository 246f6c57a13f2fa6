/* Ed25519 signatures (RFC 8032), strictly: one spelling of key, point and number, and no key of small order.

   The equation itself is the browser's where it knows Ed25519; older ones get it computed here, slowly but the same. */

import { number } from './bytes.js';

const P = 2n ** 255n - 19n;
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

const mod = (value) => {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
};

const power = (base, exponent) => {
  let result = 1n;
  for (base = mod(base); exponent; exponent >>= 1n, base = base * base % P) {
    if (exponent & 1n) result = result * base % P;
  }
  return result;
};

const D = mod(-121665n * power(121666n, P - 2n));
const ROOT = power(2n, (P - 1n) / 4n);

const little = (bytes) => number(Uint8Array.from(bytes).reverse());

/** 32 bytes to a point (X, Y, Z, T); null where they are none, or another spelling of one. */
export const point = (bytes) => {
  const whole = little(bytes), sign = whole >> 255n, y = whole & ((1n << 255n) - 1n);
  if (y >= P) return null;
  const u = mod(y * y - 1n), v = mod(D * y * y + 1n);
  let x = u * power(v, 3n) * power(u * power(v, 7n), (P - 5n) / 8n) % P;
  const check = v * x * x % P;
  if (check !== u) {
    if (check !== mod(-u)) return null;
    x = x * ROOT % P;
  }
  if (x === 0n && sign) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, x * y % P];
};

const add = ([x1, y1, z1, t1], [x2, y2, z2, t2]) => {
  const a = (y1 - x1) * (y2 - x2) % P, b = (y1 + x1) * (y2 + x2) % P;
  const c = 2n * D * t1 * t2 % P, d = 2n * z1 * z2 % P;
  const e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
};

const times = (scalar, base) => {
  let result = [0n, 1n, 1n, 0n];
  for (; scalar; scalar >>= 1n, base = add(base, base)) if (scalar & 1n) result = add(result, base);
  return result;
};

const same = (left, right) =>
  mod(left[0] * right[2] - right[0] * left[2]) === 0n && mod(left[1] * right[2] - right[1] * left[2]) === 0n;

const isSmall = (found) => same(times(8n, found), [0n, 1n, 1n, 0n]);

const BASE = point(Uint8Array.from({ length: 32 }, (_, i) => (i ? 0x66 : 0x58)));

const computed = async (key, keyPoint, r, s, message) => {
  const input = new Uint8Array([...r, ...key, ...message]);
  const k = little(new Uint8Array(await crypto.subtle.digest('SHA-512', input))) % L;
  return same(times(s, BASE), add(point(r), times(k, keyPoint)));
};

const native = async (key, signature, message) => {
  const known = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify']);
  return crypto.subtle.verify('Ed25519', known, signature, message);
};

let hasNative = true;

/** Check a signature of 64 bytes over a message with a key of 32 bytes. */
export const verifies = async (key, signature, message, alone = false) => {
  if (key.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32), s = little(signature.subarray(32));
  const keyPoint = point(key), rPoint = point(r);
  if (!keyPoint || !rPoint || s >= L || isSmall(keyPoint)) return false;
  if (hasNative && !alone) {
    try {
      return await native(key, signature, message);
    } catch {
      hasNative = false;
    }
  }
  return computed(key, keyPoint, r, s, message);
};
