// Runs in the reader's browser, within the report: turns what fingers, mouse and keys do on the confusion matrix
// into events that the matrix understands: zoom by a factor around a point, move by pixels, point at a cell.

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels within which a cell counts as pointed at: small cells are hard to hit. */
const reach = { mouse: 5, finger: 14 };
const zoomStep = 1.6;
const moveStep = 60;

function gesture(target: HTMLElement, kind: 'zoom' | 'move' | 'point', amount: number, at?: Point): void {
  target.dispatchEvent(new CustomEvent('matrix-gesture', { detail: { kind, amount, ...at } }));
}

/** Actions of keys and buttons; a factor of 0 zooms out as far as it goes. */
function actionsOf(target: HTMLElement): Record<string, () => void> {
  const zoom = (factor: number) => (): void => gesture(target, 'zoom', factor);
  const move = (x: number, y: number) => (): void => gesture(target, 'move', 1, { x, y });
  return {
    '+': zoom(zoomStep),
    '-': zoom(1 / zoomStep),
    '0': zoom(0),
    ArrowLeft: move(moveStep, 0),
    ArrowRight: move(-moveStep, 0),
    ArrowUp: move(0, moveStep),
    ArrowDown: move(0, -moveStep),
  };
}

function place(target: HTMLElement, event: MouseEvent): Point {
  const box = target.getBoundingClientRect();
  return { x: event.clientX - box.left, y: event.clientY - box.top };
}

function followPointers(target: HTMLElement): void {
  const down = new Map<number, Point>();
  target.addEventListener('pointerdown', (event) => {
    down.set(event.pointerId, place(target, event));
    target.setPointerCapture(event.pointerId);
    if (event.pointerType !== 'mouse') gesture(target, 'point', reach.finger, place(target, event));
  });
  for (const kind of ['pointerup', 'pointercancel'] as const) {
    target.addEventListener(kind, (event) => down.delete(event.pointerId));
  }
  target.addEventListener('pointermove', (event) => {
    const now = place(target, event);
    const before = down.get(event.pointerId);
    if (!before) {
      gesture(target, 'point', reach.mouse, now);
      return;
    }
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    down.set(event.pointerId, now);
    if (other) pinch(target, other, before, now);
    else gesture(target, 'move', 1, { x: now.x - before.x, y: now.y - before.y });
  });
}

/** Two fingers: one stays, one goes from a place to another. */
function pinch(target: HTMLElement, still: Point, before: Point, now: Point): void {
  const apart = (point: Point): number => Math.max(1, Math.hypot(point.x - still.x, point.y - still.y));
  const middle = { x: (before.x + still.x) / 2, y: (before.y + still.y) / 2 };
  gesture(target, 'zoom', apart(now) / apart(before), middle);
  // what lay between the fingers stays between them
  gesture(target, 'move', 1, { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 });
}

function followWheel(target: HTMLElement): void {
  const onWheel = (event: WheelEvent): void => {
    // the page scrolls on past a matrix that nobody has chosen
    if (!event.ctrlKey && document.activeElement !== target) return;
    event.preventDefault();
    gesture(target, 'zoom', 2 ** (-event.deltaY / 300), place(target, event));
  };
  target.addEventListener('wheel', onWheel, { passive: false });
}

const matrix = document.querySelector<HTMLCanvasElement>('#matrix');
if (matrix) {
  const actions = actionsOf(matrix);
  followPointers(matrix);
  followWheel(matrix);
  matrix.addEventListener('dblclick', (event) => gesture(matrix, 'zoom', 2, place(matrix, event)));
  matrix.addEventListener('keydown', (event) => {
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    action();
  });
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-zoom]')) {
    button.addEventListener('click', () => actions[button.dataset.zoom ?? '']?.());
  }
}

export {};
