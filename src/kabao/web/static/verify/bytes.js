/* Bytes and the texts they are written as: hex, base64, UTF-8; all of them strict, each value has one spelling. */

const encoder = new TextEncoder();

/** Text to UTF-8. */
export const utf8 = (text) => encoder.encode(text);

/** UTF-8 to text; null where the bytes are not UTF-8. */
export const text = (bytes) => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
};

export const equal = (left, right) => {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
};

export const join = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Lower-case hex of a known length to bytes; null for anything else. */
export const unhex = (digits, length) => {
  if (digits.length !== 2 * length || !/^[0-9a-f]*$/.test(digits)) return null;
  return Uint8Array.from({ length }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
};

export const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));

/** Standard base64 to bytes; null unless it is the one spelling of those bytes, padding and unused bits included. */
export const unbase64 = (letters) => {
  if (letters.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(letters)) return null;
  try {
    const bytes = Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
    return base64(bytes) === letters ? bytes : null;
  } catch {
    return null;
  }
};

/** Big-endian bytes to a BigInt. */
export const number = (bytes) => (bytes.length ? BigInt('0x' + hex(bytes)) : 0n);
