/* Lets a person draw what is to be black on a picture; the grid of boxes below does the same without a script. */
(() => {
  'use strict';
  const form = document.querySelector('[data-mask]');
  const area = form && form.querySelector('.maskbox');
  if (!area) return;
  form.querySelectorAll('[data-js]').forEach((part) => { part.hidden = false; });
  const clamp = (n) => Math.max(0, Math.min(1000, Math.round(n)));
  const at = (event) => {
    const place = area.getBoundingClientRect();
    return [clamp(1000 * (event.clientX - place.left) / place.width), clamp(1000 * (event.clientY - place.top) / place.height)];
  };
  let from = null, box = null, drawn = false;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 1000 1000');
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  area.append(svg);
  const sides = (to) => [Math.min(from[0], to[0]), Math.min(from[1], to[1]), Math.max(from[0], to[0]), Math.max(from[1], to[1])];
  const draw = (to) => {
    const [left, top, right, bottom] = sides(to);
    box.setAttribute('x', left);
    box.setAttribute('y', top);
    box.setAttribute('width', right - left);
    box.setAttribute('height', bottom - top);
  };
  area.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    from = at(event);
    drawn = false;
    box = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  });
  addEventListener('pointermove', (event) => {
    if (!from) return;
    const to = at(event);
    if (!box.isConnected && Math.hypot(to[0] - from[0], to[1] - from[1]) < 12) return;
    if (!box.isConnected) svg.append(box);
    draw(to);
    event.preventDefault();
  });
  addEventListener('pointerup', (event) => {
    if (!from) return;
    if (box.isConnected) {
      const [left, top, right, bottom] = sides(at(event));
      if (right > left && bottom > top) {
        const field = document.createElement('input');
        field.type = 'hidden';
        field.name = 'mark';
        field.value = [left, top, right, bottom].join(',');
        form.append(field);
      } else { box.remove(); }
      drawn = true;
    }
    from = null;
  });
  // What was drawn across a cell must not tick it.
  area.addEventListener('click', (event) => { if (drawn) event.preventDefault(); }, true);
  addEventListener('pointercancel', () => { if (box) box.remove(); from = null; });
})();
