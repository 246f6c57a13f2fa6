/* How long each notice was before the eyes until it was ticked: kept with the order, like the tick itself.
   Without it the server measures from showing the form to taking it. */
(() => {
  'use strict';
  const buy = document.getElementById('buy');
  if (!buy) return;
  let seen = 0, since = document.hidden ? 0 : performance.now();
  document.addEventListener('visibilitychange', () => {
    if (document.hidden && since) { seen += performance.now() - since; since = 0; }
    if (!document.hidden) since = performance.now();
  });
  buy.addEventListener('change', (event) => {
    const box = event.target;
    if (box.name !== 'notice') return;
    const old = Array.from(buy.querySelectorAll('input[name=dwell]')).find((one) => one.dataset.of === box.value);
    if (old) old.remove();
    if (!box.checked) return;
    const kept = document.createElement('input');
    kept.type = 'hidden';
    kept.name = 'dwell';
    kept.dataset.of = box.value;
    kept.value = `${box.value}:${Math.round(seen + (since ? performance.now() - since : 0))}`;
    buy.append(kept);
  });
})();
