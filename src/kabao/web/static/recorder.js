/* Records the screen or the camera: each piece is hashed and sent as it is made, in order, and kept until it arrived. */
(() => {
  'use strict';
  const box = document.querySelector('[data-recorder]');
  if (!box) return;
  const { ask, canHash, digest, hex, json, putChunk, untilDone } = window.kabaoSender;
  const order = box.dataset.recorder, token = box.dataset.token;
  const find = (name) => box.querySelector(`[data-${name}]`);
  const step = (name) => box.querySelectorAll('[data-step]').forEach((part) => { part.hidden = part.dataset.step !== name; });
  const say = (text, kind = '') => {
    const place = find('say');
    place.hidden = !text;
    place.className = `note ${kind}`.trim();
    place.textContent = text;
  };
  const PIECE = 5000;
  const KINDS = ['video/webm;codecs=vp8,opus', 'video/webm', 'video/mp4'];
  const kind = window.MediaRecorder && KINDS.find((name) => MediaRecorder.isTypeSupported(name));
  const devices = navigator.mediaDevices;
  if (!canHash() || !kind || !devices) {
    say('这个浏览器不能在网页里录制（需要 https 和较新的浏览器）。请用系统自带的录屏，录完到订单页上传。', 'warn');
    return;
  }
  if (!devices.getDisplayMedia) find('start="screen"').hidden = true;
  step('ask');
  find('agree').addEventListener('change', (event) => {
    box.querySelectorAll('[data-start]').forEach((button) => { button.disabled = !event.target.checked; });
  });

  const source = (what) => (what === 'screen'
    ? devices.getDisplayMedia({ video: { frameRate: 15 }, audio: true })
    : devices.getUserMedia({ video: { facingMode: 'environment' }, audio: true }));

  const begin = async (what) => {
    say('');
    let stream;
    try { stream = await source(what); } catch (refused) {
      say('没有得到录制的许可，什么也没有录。', 'warn');
      return;
    }
    try {
      const opened = await ask(`${order}/uploads`, token, json({ name: what === 'screen' ? '录屏' : '摄像头录制', size: 0, kind: 'recording' }));
      await record(stream, opened);
    } catch (error) {
      stream.getTracks().forEach((track) => track.stop());
      say(error.message, 'warn');
    }
  };

  const record = async (stream, opened) => {
    const path = `${order}/uploads/${opened.upload}`;
    const state = { seq: 0, sent: 0, queue: [], ended: false, broken: false };
    const mark = hex(await digest(new Blob([opened.not_before]))).slice(0, 16);
    find('mark').textContent = `${mark} ${new Date().toISOString().slice(0, 19)}Z`;
    find('note').textContent = opened.not_before;
    // Without a checkpoint there is nothing that a date could be held against.
    find('mark-box').hidden = find('note-box').hidden = !opened.not_before;
    step('on');
    const live = find('live');
    live.srcObject = stream;
    live.play().catch(() => {});
    const began = Date.now();
    const show = () => {
      const seconds = Math.floor((Date.now() - began) / 1000);
      if (!state.ended) find('clock').textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
      find('sent').textContent = `${state.sent} 段`;
      find('waiting').textContent = `${state.queue.length} 段`;
    };
    const ticking = setInterval(show, 500);
    const leave = (event) => { event.preventDefault(); };
    addEventListener('beforeunload', leave);

    const recorder = new MediaRecorder(stream, { mimeType: kind, videoBitsPerSecond: 1500000 });
    recorder.addEventListener('dataavailable', (event) => {
      for (let at = 0; at < event.data.size; at += opened.chunk_bytes) {
        state.queue.push(event.data.slice(at, at + opened.chunk_bytes));
      }
    });
    const stopped = new Promise((done) => { recorder.addEventListener('stop', done, { once: true }); });
    const stop = () => { if (recorder.state !== 'inactive') recorder.stop(); };
    find('stop').addEventListener('click', stop, { once: true });
    stream.getTracks().forEach((track) => track.addEventListener('ended', stop));
    recorder.start(PIECE);
    stopped.then(() => {
      state.ended = true;
      stream.getTracks().forEach((track) => track.stop());
      find('stop').disabled = true;
    });

    try {
      while (!state.ended || state.queue.length) {
        if (!state.queue.length) {
          await Promise.race([stopped, new Promise((done) => { setTimeout(done, 200); })]);
          continue;
        }
        const kept = await untilDone(
          () => putChunk(path, token, state.seq + 1, state.queue[0]),
          () => say('网络断了，录制没有停，连上后自动续传。不要关这个页面。', 'warn'),
        );
        state.queue.shift();
        state.seq += 1;
        state.sent += 1;
        find('head').textContent = `${kept.head.slice(0, 8)}…${kept.head.slice(-8)}`;
        say('');
        show();
      }
      if (!state.seq) throw new Error('没有录到画面，什么也没有存。');
      say('正在封存…');
      const item = await untilDone(() => ask(`${path}/finish`, token, json({ chunks: state.seq })));
      removeEventListener('beforeunload', leave);
      location.assign(`${order}/evidence/${item.item}`);
    } finally {
      clearInterval(ticking);
      removeEventListener('beforeunload', leave);
      stop();
    }
  };

  box.addEventListener('click', (event) => {
    const button = event.target.closest('[data-start]');
    if (button && !button.disabled) begin(button.dataset.start);
  });
})();
