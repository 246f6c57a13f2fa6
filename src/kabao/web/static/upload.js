/* Uploads chosen files in chunks as soon as they are chosen: progress, pause, and going on after a break or on another
   device. Without it (or where the browser cannot hash) the form sends its files whole. */
(() => {
  'use strict';
  const box = document.querySelector('[data-uploads]');
  if (!box || !window.kabaoSender || !window.kabaoSender.canHash()) return;
  const { ask, digest, hex, json, putChunk, Refused, untilDone } = window.kabaoSender;
  const order = box.dataset.uploads, token = box.dataset.token, list = box.querySelector('[data-list]');
  const input = document.querySelector('form.say input[type=file]');
  if (!input) return;
  const AT_ONCE = 2;
  // What sending the same file once more cannot mend; the upload is over.
  const HOPELESS = new Set(['file_type_unknown', 'file_name_misleads', 'file_unreadable', 'file_too_large', 'file_already_there']);
  let running = 0, held = null, isBroken = false;
  const waiting = [];

  const el = (name, text = '', cls = '') => {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = cls;
    return made;
  };
  const size = (bytes) => {
    if (bytes < 1024) return `${bytes} 字节`;
    return bytes >= 1048576 ? `${(bytes / 1048576).toFixed(1)} MB` : `${Math.round(bytes / 1024)} KB`;
  };

  const line = (name) => {
    const row = el('li'), grow = el('div', '', 'grow'), head = el('p', '', 'row between');
    const bar = el('progress', '', 'bar-up'), about = el('p', '', 's13 muted'), acts = el('span', '', 'row');
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute('aria-label', `${name} 的上传进度`);
    about.setAttribute('role', 'status');
    head.append(el('b', name, 's14'), acts);
    grow.append(head, bar, about);
    row.append(grow);
    list.append(row);
    list.hidden = false;
    return {
      row,
      say: (text) => { about.textContent = text; },
      at: (share) => { bar.value = share; },
      done: () => { bar.remove(); acts.replaceChildren(); },
      buttons: (...pairs) => acts.replaceChildren(...pairs.map(([text, act]) => {
        const button = el('button', text, 'linkb s13');
        button.type = 'button';
        button.addEventListener('click', act);
        return button;
      })),
    };
  };

  const next = () => {
    while (running < AT_ONCE && waiting.length) {
      running += 1;
      waiting.shift()().then((isDone) => { isBroken = isBroken || !isDone; }).finally(() => { running -= 1; next(); sendHeld(); });
    }
  };
  const about = el('p', '选了文件就马上存证，双方都看得到，收不回。', 's12 muted mb');
  about.setAttribute('role', 'status');
  box.prepend(about);
  /* Words that were sent while files are still on their way wait for them: leaving the page would cut them off. */
  const sendHeld = () => {
    if (!held || running || waiting.length) return;
    const { form } = input, button = held.submitter;
    held = null;
    about.textContent = isBroken ? '有文件没有传上，文字还没有发出。看一看，再点一次。' : '文件传完了，正在发送。';
    if (!isBroken) form.requestSubmit(button);
    isBroken = false;
  };
  input.form.addEventListener('submit', (event) => {
    if (!running && !waiting.length) return;
    event.preventDefault();
    held = { submitter: event.submitter };
    isBroken = false;
    about.textContent = '文件还在传，传完就发送。';
  });
  const enqueue = (work) => { waiting.push(work); next(); };

  const upload = (file, view, known) => {
    const state = { paused: false, cancelled: false, id: known ? known.upload : '' };
    const path = () => `${order}/uploads/${state.id}`;
    const cancel = async () => {
      state.cancelled = true;
      if (state.id) await ask(path(), token, { method: 'DELETE' }).catch(() => {});
      view.row.remove();
    };
    const pause = () => { state.paused = true; view.say('已暂停，收到的都在。'); view.buttons(['继续', resume], ['取消', cancel]); };
    const resume = () => { state.paused = false; enqueue(run); };
    const goesOn = () => !state.paused && !state.cancelled;

    const run = async () => {
      if (!goesOn()) return state.cancelled;
      view.buttons(['暂停', pause], ['取消', cancel]);
      const onWait = () => view.say('网络断了，连上后自动接着传。');
      try {
        if (!state.id) state.id = (await untilDone(() => ask(`${order}/uploads`, token, json({ name: file.name, size: file.size, kind: 'file' })), onWait, goesOn)).upload;
        const seen = await untilDone(() => ask(path(), token), onWait, goesOn);
        const there = new Map(seen.chunks.map((chunk) => [chunk.seq, chunk.sha256]));
        const chunks = Math.ceil(file.size / seen.chunk_bytes);
        for (let seq = 1; seq <= chunks; seq += 1) {
          if (!goesOn()) return state.cancelled;
          const piece = file.slice((seq - 1) * seen.chunk_bytes, seq * seen.chunk_bytes);
          if (!there.has(seq)) await untilDone(() => putChunk(path(), token, seq, piece), onWait, goesOn);
          // After a break the same file has to be chosen again; another of its size and name must not be mixed in.
          else if (known && hex(await digest(piece)) !== there.get(seq)) throw new Refused('other', '这不是上次那个文件，没有接着传。请选原来的文件，或者取消重来。');
          view.at(seq / chunks);
          view.say(`${size(Math.min(file.size, seq * seen.chunk_bytes))} / ${size(file.size)}`);
        }
        view.say('正在核对…');
        const item = await untilDone(() => ask(`${path()}/finish`, token, json({ chunks })), onWait, goesOn);
        finished(view, item);
        return true;
      } catch (error) {
        if (state.cancelled || (state.paused && !(error instanceof Refused))) return state.cancelled;
        const isHeic = error.code === 'file_type_unknown' && /\.hei[cf]$/i.test(file.name);
        view.say(isHeic ? 'HEIC 图片先存成 JPEG，或者截一张屏再选。' : error instanceof Refused ? error.message : '文件读不出来了，请重新选。');
        if (HOPELESS.has(error.code)) view.buttons(['移除', cancel]);
        else view.buttons(['再试', resume], ['取消', cancel]);
        return false;
      }
    };
    enqueue(run);
  };

  const finished = (view, item) => {
    view.done();
    view.say('');
    const link = el('a', `已存证，证据 ${item.item_no}`, 's14');
    link.href = `${order}/evidence/${item.item}`;
    view.row.firstChild.append(link, el('p', `SHA-256 ${item.sha256}`, 'hash-full'));
  };

  input.addEventListener('change', () => {
    const files = Array.from(input.files);
    // The form itself must not send them a second time; its words go alone.
    input.value = '';
    const names = input.closest('label').querySelector('[data-names]');
    if (names) setTimeout(() => { names.textContent = ''; }, 0);
    files.forEach((file) => {
      const view = line(file.name);
      if (file.size === 0) { view.say('是空文件，没有收下。'); view.buttons(['移除', () => view.row.remove()]); return; }
      upload(file, view);
    });
  });

  addEventListener('beforeunload', (event) => { if (running) event.preventDefault(); });

  const goOn = (known) => {
    const view = line(known.name);
    const cancel = async () => { await ask(`${order}/uploads/${known.upload}`, token, { method: 'DELETE' }).catch(() => {}); view.row.remove(); };
    if (known.kind === 'recording') {
      view.say(`没有收尾的录制，已收到 ${known.chunks.length} 段。一天内不收尾会自动封存。`);
      const close = async () => {
        try { finished(view, await ask(`${order}/uploads/${known.upload}/finish`, token, json({ chunks: known.chunks.length }))); } catch (error) { view.say(error.message); }
      };
      view.buttons(...(known.chunks.length ? [['现在封存', close]] : [['取消', cancel]]));
      return;
    }
    const got = known.chunks.reduce((sum, chunk) => sum + chunk.bytes, 0);
    view.at(got / known.size);
    view.say(`没有传完，已收到 ${size(got)} / ${size(known.size)}。再选一次这个文件就接着传。`);
    const choose = () => {
      const picker = el('input');
      picker.type = 'file';
      picker.addEventListener('change', () => {
        const [file] = picker.files;
        if (!file) return;
        if (file.size !== known.size) { view.say('大小和上次的不一样，不是同一个文件。请再选。'); return; }
        upload(file, view, known);
      });
      picker.click();
    };
    view.buttons(['接着传', choose], ['取消', cancel]);
  };
  ask(`${order}/uploads`, token).then(({ uploads }) => uploads.forEach(goOn), () => {});
})();
