/* The whole client script besides htmx: countdowns, copy buttons, chosen file names, one send per form.
   every page works without it; it stores nothing in the browser: a buyer may paste a card key anywhere. */
(() => {
  'use strict';
  const root = document.documentElement;
  root.classList.add('js');
  // The server's clock decides deadlines: a phone set wrong must not show more or less time than there is.
  const skew = root.dataset.now ? Date.parse(root.dataset.now) - Date.now() : 0;
  const two = (n) => String(n).padStart(2, '0');

  const spoken = (s) => {
    const m = Math.floor(s / 60) % 60, h = Math.floor(s / 3600);
    if (s >= 172800) return `还剩 ${Math.floor(h / 24)} 天 ${h % 24} 小时 ${m} 分`;
    if (s < 60) return '还剩不到 1 分';
    return h ? `还剩 ${h} 小时 ${m} 分` : `还剩 ${m} 分`;
  };

  const show = (el) => {
    const at = Math.max(Date.now() + skew, +el.dataset.from || 0);
    const left = Math.floor((Date.parse(el.dataset.deadline) - at) / 1000);
    const s = Math.max(0, left);
    if (s < 172800) {
      el.querySelectorAll('[data-day]').forEach((part) => part.remove());
      el.querySelectorAll('[data-u=h]').forEach((part) => { part.dataset.u = 'H'; });
    }
    const h = Math.floor(s / 3600);
    const text = { d: Math.floor(h / 24), h: two(h % 24), H: h, m: two(Math.floor(s / 60) % 60), s: two(s % 60) };
    el.querySelectorAll('[data-u]').forEach((part) => { part.textContent = text[part.dataset.u]; });
    el.classList.toggle('hot', left > 0 && left < 3600);
    el.classList.toggle('over', left <= 0);
    const label = left > 0 ? spoken(s) : '已到时';
    if (el.getAttribute('aria-label') !== label) el.setAttribute('aria-label', label);
  };
  const tick = () => document.querySelectorAll('[data-deadline]').forEach(show);
  tick();
  // Always on: htmx may bring a countdown into a page that had none.
  setInterval(tick, 1000);

  const total = document.querySelector('[data-total]');
  if (total) document.getElementById('quantity').addEventListener('input', (event) => {
    const n = +event.target.value;
    if (!(n >= 1 && n <= total.dataset.most && n % 1 === 0)) return;
    total.textContent = `${n} 张，¥` + (n * total.dataset.total / 100).toLocaleString('en', { minimumFractionDigits: 2 });
  });

  const summary = document.querySelector('.errsum');
  if (summary) summary.focus();

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]');
    const source = button && document.getElementById(button.dataset.copy);
    if (!source || !navigator.clipboard) return;
    navigator.clipboard.writeText(source.textContent.trim()).then(() => {
      const label = button.querySelector('[data-t]') || button;
      const before = button.dataset.before || label.textContent;
      button.dataset.before = before;
      label.textContent = '已复制';
      setTimeout(() => { label.textContent = before; }, 1600);
    }, () => {});
  });

  document.addEventListener('change', (event) => {
    if (event.target.type !== 'file') return;
    const place = event.target.closest('label');
    const names = place && place.querySelector('[data-names]');
    if (names) names.textContent = Array.from(event.target.files, (file) => file.name).join('、');
  });

  // After the form's data is taken, so that a named button still sends its value.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (form.method !== 'post' || event.defaultPrevented) return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    form.dataset.sent = '1';
    setTimeout(() => form.querySelectorAll('[type=submit]').forEach((b) => { b.disabled = true; b.dataset.held = '1'; }), 0);
  });
  // The way back restores the page as it was left, with its buttons held.
  addEventListener('pageshow', () => {
    document.querySelectorAll('form[data-sent]').forEach((form) => { delete form.dataset.sent; });
    document.querySelectorAll('[data-held]').forEach((b) => { b.disabled = false; delete b.dataset.held; });
  });
})();
