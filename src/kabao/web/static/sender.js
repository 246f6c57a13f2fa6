/* Sends evidence in chunks, each under its SHA-256, until the server has it. Shared by uploads and recordings.
   Nothing is stored in the browser: what has arrived, the server tells. */
window.kabaoSender = (() => {
  'use strict';
  const PATIENCE = [1000, 2000, 4000, 8000, 15000];
  const TRY_AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);
  const canHash = () => Boolean(window.crypto && crypto.subtle && window.fetch && Blob.prototype.arrayBuffer);
  const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });

  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
  const digest = async (blob) => new Uint8Array(await crypto.subtle.digest('SHA-256', await blob.arrayBuffer()));

  class Refused extends Error {
    constructor(code, sentence, fields) {
      super([sentence, ...Object.values(fields || {})].join(''));
      this.code = code;
    }
  }

  const ask = async (path, token, options = {}) => {
    const headers = { 'x-kabao-token': token, ...options.headers };
    const answer = await fetch(path, { ...options, headers, credentials: 'same-origin', redirect: 'error' });
    let body = {};
    try { body = await answer.json(); } catch (broken) { body = {}; }
    if (answer.ok) return body;
    const error = new Refused(body.code || 'failed', body.sentence || '没有成功，请再试一次。', body.fields);
    error.again = TRY_AGAIN.has(answer.status);
    throw error;
  };
  const json = (value) => ({
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value),
  });

  /* Repeats a request until it is answered for good; a line that is down is waited for. */
  const untilDone = async (request, onWait = () => {}, goesOn = () => true) => {
    for (let tries = 0; ; tries += 1) {
      try { return await request(); } catch (error) {
        if ((error instanceof Refused && !error.again) || !goesOn()) throw error;
        onWait(error);
        await wait(PATIENCE[Math.min(tries, PATIENCE.length - 1)]);
      }
    }
  };

  const putChunk = async (path, token, seq, blob) => {
    const hash = await digest(blob);
    return ask(`${path}/${seq}`, token, {
      method: 'PUT',
      headers: { 'content-digest': `sha-256=:${base64(hash)}:`, 'content-type': 'application/octet-stream' },
      body: blob,
    });
  };

  return { ask, base64, canHash, digest, hex, json, putChunk, Refused, untilDone };
})();
