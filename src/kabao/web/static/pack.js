/* A form that brings a file leaves its page standing, so its button says that it works and comes back by itself. */
(() => {
  'use strict';
  const swap = (form) => form.querySelectorAll('[data-busy]').forEach((said) => {
    [said.textContent, said.dataset.busy] = [said.dataset.busy, said.textContent];
  });
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!('again' in form.dataset) || event.defaultPrevented) return;
    swap(form);
    setTimeout(() => {
      swap(form);
      delete form.dataset.sent;
      form.querySelectorAll('[type=submit]').forEach((b) => { b.disabled = false; delete b.dataset.held; });
    }, 20000);
  });
})();
