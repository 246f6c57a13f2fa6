/* SHA-256 (FIPS 180-4) that takes its input piece by piece: the browser's own wants a file whole, in memory. */

const K = new Int32Array(64);
const START = new Int32Array(8);

// The constants are the fractions of the square and cube roots of the first primes; 40 bits of root suffice.
const fraction = (prime, power) => {
  const wanted = BigInt(prime) << BigInt(32 * power);
  let low = 0n, high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(power) <= wanted) low = middle;
    else high = middle;
  }
  return Number(BigInt.asIntN(32, low));
};
for (let prime = 2, found = 0; found < 64; prime++) {
  let divisor = 2;
  while (prime % divisor) divisor++;
  if (divisor < prime) continue;
  K[found] = fraction(prime, 3);
  if (found < 8) START[found] = fraction(prime, 2);
  found++;
}

const W = new Int32Array(64);

const blocks = (state, bytes, from, to) => {
  let s0 = state[0], s1 = state[1], s2 = state[2], s3 = state[3];
  let s4 = state[4], s5 = state[5], s6 = state[6], s7 = state[7];
  for (; from < to; from += 64) {
    for (let i = 0, p = from; i < 16; i++, p += 4) {
      W[i] = bytes[p] << 24 | bytes[p + 1] << 16 | bytes[p + 2] << 8 | bytes[p + 3];
    }
    for (let i = 16; i < 64; i++) {
      const x = W[i - 15], y = W[i - 2];
      const low = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
      const high = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
      W[i] = W[i - 16] + low + W[i - 7] + high | 0;
    }
    let a = s0, b = s1, c = s2, d = s3, e = s4, f = s5, g = s6, h = s7;
    for (let i = 0; i < 64; i++) {
      const one = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7))
        + (g ^ e & (f ^ g)) + K[i] + W[i] | 0;
      const two = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ c & (a ^ b)) | 0;
      h = g;
      g = f;
      f = e;
      e = d + one | 0;
      d = c;
      c = b;
      b = a;
      a = one + two | 0;
    }
    s0 = s0 + a | 0;
    s1 = s1 + b | 0;
    s2 = s2 + c | 0;
    s3 = s3 + d | 0;
    s4 = s4 + e | 0;
    s5 = s5 + f | 0;
    s6 = s6 + g | 0;
    s7 = s7 + h | 0;
  }
  state.set([s0, s1, s2, s3, s4, s5, s6, s7]);
};

export class Sha256 {
  constructor() {
    this.state = START.slice();
    this.rest = new Uint8Array(64);
    this.length = 0;
  }

  update(bytes) {
    const held = this.length % 64;
    let at = 0;
    this.length += bytes.length;
    if (held) {
      at = Math.min(64 - held, bytes.length);
      this.rest.set(bytes.subarray(0, at), held);
      if (held + at < 64) return this;
      blocks(this.state, this.rest, 0, 64);
    }
    const whole = at + (bytes.length - at - (bytes.length - at) % 64);
    blocks(this.state, bytes, at, whole);
    this.rest.set(bytes.subarray(whole));
    return this;
  }

  /** The 32 bytes; nothing may be added after. */
  digest() {
    const held = this.length % 64;
    const tail = new Uint8Array(held < 56 ? 64 : 128);
    tail.set(this.rest.subarray(0, held));
    tail[held] = 0x80;
    new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(this.length) * 8n);
    blocks(this.state, tail, 0, tail.length);
    const out = new DataView(new ArrayBuffer(32));
    this.state.forEach((word, i) => out.setInt32(4 * i, word));
    return new Uint8Array(out.buffer);
  }
}

/** SHA-256 of all the parts, one after the other. */
export const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), new Sha256()).digest();
