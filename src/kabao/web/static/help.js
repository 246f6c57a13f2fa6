/* Keeps the sealed story of self-help on this device, so that a stopped session can go on. Only what the server sealed
   is kept: this browser cannot read it, and it opens for thirty days. A case that was just saved
   leaves nothing here. Every page works without this. */
(() => {
  'use strict';
  // What brings a file leaves its page standing, so the buttons that are held meanwhile come back by themselves.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    const by = event.submitter;
    const asked = new URL(by && by.hasAttribute('formaction') ? by.formAction : form.action);
    if (!/\.(ics|pdf|txt|zip)$/.test(asked.pathname)) return;
    setTimeout(() => {
      delete form.dataset.sent;
      form.querySelectorAll('[data-held]').forEach((b) => { b.disabled = false; delete b.dataset.held; });
    }, 1500);
  });
  // A field cuts what does not fit without a word, so the page says what stayed outside.
  document.addEventListener('paste', (event) => {
    const area = event.target;
    if (!(area instanceof HTMLTextAreaElement) || area.maxLength < 1 || !event.clipboardData) return;
    const pasted = event.clipboardData.getData('text').replace(/\r\n/g, '\n').length;
    const over = area.value.length - (area.selectionEnd - area.selectionStart) + pasted - area.maxLength;
    let note = area.parentNode.querySelector('[data-over]');
    if (!note) {
      note = document.createElement('p');
      note.className = 'em';
      note.dataset.over = '';
      note.setAttribute('role', 'status');
      area.after(note);
    }
    const inEnglish = document.getElementById('main').lang === 'en';
    note.textContent = over < 1 ? '' : inEnglish ? `The last ${over} characters did not fit.` : `最后 ${over} 个字没有贴进去。`;
  });
  const NAME = 'kabao-help';
  const form = document.getElementById('help-form');
  if (document.querySelector('[data-help-saved]')) localStorage.removeItem(NAME);
  if (!form || form.dataset.saved) return;
  const main = document.getElementById('main');
  const en = main.lang === 'en';
  const stored = () => {
    try { return JSON.parse(localStorage.getItem(NAME) || 'null'); } catch { return null; }
  };
  const fresh = main.dataset.help === 'start' && !form.dataset.told;
  const kept = stored();
  if (fresh) {
    if (!kept || !kept.state) return;
    const note = document.createElement('section');
    note.className = 'card stack-s';
    const text = document.createElement('p');
    text.textContent = en ? 'You stopped half way on this device.' : '上次填了一半，还在这台设备上。';
    const row = document.createElement('p');
    row.className = 'row wrap';
    const go = document.createElement('button');
    go.className = 'btn pri';
    go.type = 'button';
    go.textContent = en ? 'Go on' : '接着填';
    go.addEventListener('click', () => {
      form.elements.state.value = kept.state;
      form.elements.step.value = 'resume';
      const named = document.createElement('input');
      named.type = 'hidden';
      named.name = 'go';
      named.value = kept.step;
      form.append(named);
      form.submit();
    });
    const drop = document.createElement('button');
    drop.className = 'btn';
    drop.type = 'button';
    drop.textContent = en ? 'Delete it' : '删掉，重新填';
    drop.addEventListener('click', () => { localStorage.removeItem(NAME); note.remove(); });
    row.append(go, drop);
    note.append(text, row);
    form.before(note);
    return;
  }
  try { localStorage.setItem(NAME, JSON.stringify({ state: form.elements.state.value, step: main.dataset.help })); } catch { /* no room: the page itself still carries it */ }
})();
