/* The desk's script: keys, drafts that save themselves, sums while typing, who else is here, the ten seconds.
   Every step has a link or a button; without this script the next page says the same. */
(() => {
  'use strict';
  const $ = (selector, place = document) => place.querySelector(selector);
  const all = (selector, place = document) => Array.from(place.querySelectorAll(selector));
  const skew = Date.parse(document.documentElement.dataset.now) - Date.now();
  const yuan = (minor) => '¥' + (minor / 100).toLocaleString('en', { minimumFractionDigits: 2 });

  // ---- keys: single letters only while nobody types, and only if they are wanted
  const KEY = 'kabao-desk-keys';
  const stored = (value) => {
    try { if (value !== undefined) localStorage.setItem(KEY, value); return localStorage.getItem(KEY); } catch { return null; }
  };
  const box = $('[data-keys]');
  if (box) {
    box.checked = stored() !== 'off';
    box.addEventListener('change', () => stored(box.checked ? 'on' : 'off'));
    box.closest('[hidden]').hidden = false;
  }
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT|OPTION)$/.test(el.tagName));
  const show = (el) => { if (el) { el.scrollIntoView({ block: 'start' }); el.focus({ preventScroll: true }); } };
  const step = (by) => {
    const items = all('.queue .q-item');
    const at = items.findIndex((item) => item.hasAttribute('aria-current'));
    const to = items[at < 0 ? 0 : at + by];
    if (to) to.click(); else if (by > 0 && $('[data-more]')) $('[data-more]').click();
  };
  const toForm = () => {
    const form = $('form[data-decide]');
    show(form ? $('input:checked,input:not([type=hidden]),textarea', form) : $('#a-h'));
  };
  const keys = {
    j: () => step(1), k: () => step(-1), e: () => show($('#ev-h')), d: toForm, p: () => show($('#pass-h')),
    '/': () => show($('#desk-q')),
    '?': () => { const table = $('#keys'); if (table) { table.open = !table.open; show($('summary', table)); } },
  };
  document.addEventListener('keydown', (event) => {
    if (event.isComposing || event.altKey) return;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest && event.target.closest('form[data-decide]');
      const button = form && ($('[value=preview]', form) || all('[type=submit]', form).pop());
      if (button) { event.preventDefault(); button.click(); }
      return;
    }
    if (event.key === 'Escape' && typing(event.target)) { event.target.blur(); return; }
    if (event.ctrlKey || event.metaKey || typing(event.target) || (box && !box.checked)) return;
    const act = keys[event.key.toLowerCase()];
    if (act) { event.preventDefault(); act(); }
  });

  // ---- templates go into the field instead of a new page
  document.addEventListener('click', (event) => {
    const link = event.target.closest('[data-fill]');
    const area = link && document.getElementById(link.dataset.fill);
    if (!area || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    area.value = area.value.trim() ? `${area.value.trim()}\n${link.dataset.text}` : link.dataset.text;
    const to = link.dataset.to && $(`[name=to][value=${link.dataset.to}]`);
    if (to) to.checked = true;
    area.focus();
  });

  // ---- sums, and the reason that only another result needs
  const minor = (text) => (/^\d{1,9}(\.\d{1,2})?$/.test(text.trim()) ? Math.round(parseFloat(text) * 100) : NaN);
  all('form[data-decide]').forEach((form) => {
    const value = (name) => (form.elements[name] ? form.elements[name].value : '');
    const held = +form.dataset.held, out = $('[data-sums]', form), differs = $('[data-differs]', form);
    const suggested = form.dataset.suggested ? form.dataset.suggested.split(' ').map(Number) : null;
    const count = () => {
      const falls = value('upholds') === 'no', isNew = !falls && (value('outcome') === 'replacement' || value('replaces') === 'yes');
      const outcome = falls ? 'no_refund' : value('outcome') || (value('upholds') ? 'partial_refund' : '');
      const typed = minor(value('refund'));
      const amount = { full_refund: held, no_refund: 0, replacement: value('refund') ? typed : held }[outcome];
      const refund = amount === undefined ? typed : amount;
      const damages = falls || !value('damages').trim() ? 0 : minor(value('damages'));
      const parts = ['share_merchant', 'share_buyer', 'share_platform'].map((name) => +value(name) || 0);
      const shares = parts[0] + parts[1] + parts[2];
      const isSet = outcome && !Number.isNaN(refund) && !Number.isNaN(damages), fits = !isSet || refund <= held;
      const sum = `退给买家 ${yuan(refund)}，余 ${yuan(Math.max(0, held - refund))}，合计 ${yuan(Math.max(held, refund))}`;
      out.hidden = false;
      out.textContent = (isSet ? (isNew ? '补发新卡密；没有库存时' : '') + sum : '先选结果、填金额')
        + (fits ? '' : `，超过 ${yuan(held)}`) + (isSet && damages ? `；另赔 ${yuan(damages)}` : '')
        + `。责任合计 ${shares}%${shares === 100 ? '。' : '，要是 100%。'}`;
      out.classList.toggle('off', shares !== 100 || !fits);
      const other = suggested && isSet && (damages !== suggested[1] || isNew !== !!suggested[2] || (!isNew && refund !== suggested[0]));
      if (differs) differs.hidden = !($('.em', differs) || value('differs_reason') || other || (!suggested && damages > 0));
    };
    form.addEventListener('input', count);
    form.addEventListener('change', count);
    count();
  });

  // ---- a draft saves itself, also when the page is left
  const drafting = $('form[data-draft]');
  if (drafting) {
    const note = $('[data-saved]', drafting);
    let due = 0, isDirty = false;
    const typed = () => new URLSearchParams(new FormData(drafting));
    const save = () => {
      isDirty = false;
      fetch(drafting.dataset.draft, { method: 'POST', body: typed(), headers: { 'x-kabao-draft': '1' }, redirect: 'error' })
        .then((answer) => answer.text().then((text) => { note.textContent = answer.ok ? `草稿已存 ${text}，只有你看得到。` : `草稿没有存上：${text.slice(0, 60)}`; }))
        .catch(() => { isDirty = true; note.textContent = '草稿没有存上，连上网再试。'; });
    };
    drafting.addEventListener('input', () => {
      isDirty = true;
      clearTimeout(due);
      due = setTimeout(save, 1500);
    });
    drafting.addEventListener('submit', () => { isDirty = false; clearTimeout(due); });
    addEventListener('pagehide', () => { if (isDirty) navigator.sendBeacon(drafting.dataset.draft, typed()); });
  }

  // ---- who else is here, and what came in; often while a ruling can still be taken back
  const lease = $('[data-beat]');
  const isOpen = () => { const over = $('[data-undo] [data-over]'); return over && over.hidden; };
  const beat = () => {
    // A session that ended leads elsewhere, which is no page to put here.
    if (!document.hidden) fetch(lease.dataset.beat, { redirect: 'manual' })
      .then((answer) => (answer.ok ? answer.text() : null))
      .then((html) => { if (html !== null && html.trim() !== lease.innerHTML.trim()) lease.innerHTML = html; })
      .catch(() => {});
    setTimeout(beat, isOpen() ? 2000 : 30000);
  };
  if (lease) setTimeout(beat, isOpen() ? 2000 : 30000);

  // ---- the ten seconds
  const undo = $('[data-undo]');
  if (undo) {
    const left = Date.parse(undo.dataset.undo) - Date.now() - skew;
    setTimeout(() => {
      all('form,.row', undo).forEach((part) => { part.hidden = true; });
      $('[data-over]', undo).hidden = false;
    }, Math.max(0, left));
  }
})();
