/* A form that brings a file leaves its page standing, so its button comes back by itself. */
(() => {
  'use strict';
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!('again' in form.dataset)) return;
    setTimeout(() => {
      delete form.dataset.sent;
      form.querySelectorAll('[type=submit]').forEach((b) => { b.disabled = false; delete b.dataset.held; });
    }, 20000);
  });
})();
