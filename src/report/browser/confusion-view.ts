// Runs in the reader's browser, within the report: draws the confusion matrix, zooms it, and says what is under
// the pointer.

interface MatrixData {
  readonly labels: readonly string[];
  /** [actual, predicted, count], class ids. */
  readonly cells: ReadonlyArray<readonly [number, number, number]>;
  readonly clusterOrder: readonly number[];
}

interface Cell {
  readonly row: number;
  readonly column: number;
  readonly count: number;
}

/** Detail of the event `matrix-gesture`; see matrix-gestures. */
interface MatrixGesture {
  readonly kind: 'zoom' | 'move' | 'point';
  readonly x?: number;
  readonly y?: number;
  readonly amount: number;
}

const canvas = document.querySelector<HTMLCanvasElement>('#matrix');
const context = canvas?.getContext('2d');
const said = document.querySelector<HTMLElement>('#matrix-said');
const order = document.querySelector<HTMLSelectElement>('#matrix-order');
const data: MatrixData = JSON.parse(document.querySelector('#matrix-data')?.textContent ?? 'null');

const caption = 22;
const labelsFrom = 11;
const numbersFrom = 24;
const closest = 44;
const font = 'system-ui, sans-serif';

class ConfusionView {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #classes = data.labels.length;
  readonly #totals: number[] = new Array(data.labels.length).fill(0);
  readonly #counts = new Map<number, number>();
  /** Class ids in the order in which they are drawn, and the place of each. */
  #ids: readonly number[] = [];
  #places: number[] = [];
  #cells: readonly Cell[] = [];
  /** Side of the canvas in CSS pixels, room for labels, side of a cell, first row and column that are seen. */
  #side = 0;
  #gutter = caption;
  #zoom = 1;
  #x = 0;
  #y = 0;
  #shown: Cell | undefined;
  readonly #widest: number;

  constructor(target: HTMLCanvasElement, drawing: CanvasRenderingContext2D) {
    this.#canvas = target;
    this.#context = drawing;
    drawing.font = `12px ${font}`;
    this.#widest = 10 + Math.max(84, ...data.labels.map((label) => drawing.measureText(label).width));
    for (const [actual, predicted, count] of data.cells) {
      this.#totals[actual] = (this.#totals[actual] ?? 0) + count;
      this.#counts.set(actual * this.#classes + predicted, count);
    }
  }

  get #cell(): number {
    return this.#smallest() * this.#zoom;
  }

  /** Side of a cell when the whole matrix is seen, with its labels where they can be read. */
  #smallest(): number {
    const labelled = (this.#side - this.#labelRoom()) / this.#classes;
    return labelled >= labelsFrom
      ? labelled
      : Math.min((this.#side - caption) / this.#classes, labelsFrom - 0.1);
  }

  /** Cells that fit into the canvas. */
  get #extent(): number {
    return (this.#side - this.#gutter) / this.#cell;
  }

  arrange(by: string): void {
    const ids = data.labels.map((_, id) => id);
    const name = (id: number): string => data.labels[id] ?? '';
    this.#ids =
      by === 'label'
        ? ids.sort((a, b) => name(a).localeCompare(name(b), undefined, { numeric: true }))
        : data.clusterOrder;
    this.#places = [];
    this.#ids.forEach((id, place) => {
      this.#places[id] = place;
    });
    this.#cells = data.cells.map(([actual, predicted, count]) => ({
      row: this.#places[actual] ?? 0,
      column: this.#places[predicted] ?? 0,
      count,
    }));
    this.say(undefined);
  }

  resize(): void {
    this.#side = this.#canvas.clientWidth;
    this.#canvas.style.height = `${this.#side}px`;
    this.#canvas.width = Math.round(this.#side * devicePixelRatio);
    this.#canvas.height = this.#canvas.width;
    this.move(0, 0);
  }

  /** Zooms by a factor around a point of the canvas, its middle by default. */
  zoomBy(factor: number, x = this.#side / 2, y = this.#side / 2): void {
    const before = this.#at(x, y);
    const most = Math.max(1, closest / this.#smallest());
    this.#zoom = Math.min(most, Math.max(1, this.#zoom * factor));
    this.#gutter = this.#room();
    const after = this.#at(x, y);
    this.#x += before.x - after.x;
    this.#y += before.y - after.y;
    this.move(0, 0);
  }

  /** Moves what is seen by pixels. */
  move(x: number, y: number): void {
    this.#gutter = this.#room();
    const last = Math.max(0, this.#classes - this.#extent);
    this.#x = Math.min(last, Math.max(0, this.#x - x / this.#cell));
    this.#y = Math.min(last, Math.max(0, this.#y - y / this.#cell));
    this.#canvas.style.touchAction = this.#zoom > 1 ? 'none' : 'pan-y';
    this.draw();
  }

  /** Says what is at a point, or near it where cells are small. */
  point(x: number, y: number, reach: number): void {
    this.say(this.#find(x, y, reach));
    this.draw();
  }

  say(cell: Cell | undefined): void {
    this.#shown = cell;
    if (said) said.textContent = cell ? this.#sentence(cell) : 'Point at a cell to read it.';
  }

  draw(): void {
    const { canvas: target } = this.#context;
    const style = getComputedStyle(document.documentElement);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    const ratio = target.width / this.#side;
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, this.#side, this.#side);
    this.#context.save();
    this.#context.beginPath();
    this.#context.rect(this.#gutter, this.#gutter, this.#side, this.#side);
    this.#context.clip();
    this.#context.fillStyle = colour('--card');
    this.#context.fillRect(
      this.#gutter,
      this.#gutter,
      this.#classes * this.#cell,
      this.#classes * this.#cell,
    );
    this.#drawGrid(colour('--grid'));
    this.#drawCells(colour);
    this.#drawCross(colour('--text'));
    this.#context.restore();
    this.#drawLabels(colour('--muted'), colour('--text'));
  }

  #drawGrid(colour: string): void {
    if (this.#cell < labelsFrom) return;
    this.#context.fillStyle = colour;
    for (let at = 0; at <= this.#classes; at++) {
      this.#context.fillRect(this.#gutter + (at - this.#x) * this.#cell, this.#gutter, 1, this.#side);
      this.#context.fillRect(this.#gutter, this.#gutter + (at - this.#y) * this.#cell, this.#side, 1);
    }
  }

  #drawCells(colour: (name: string) => string): void {
    const drawing = this.#context;
    const [right, wrong, card] = [colour('--right'), colour('--wrong'), colour('--card')] as const;
    // a single cell must be seen, however many there are
    const size = Math.max(this.#cell, 1.6);
    const inset = this.#cell >= labelsFrom ? 1 : 0;
    for (const { row, column, count } of this.#cells) {
      const [x, y] = [this.#left(column), this.#top(row)];
      if (x + size < this.#gutter || y + size < this.#gutter || x > this.#side || y > this.#side) continue;
      const share = count / (this.#totals[this.#ids[row] ?? 0] || 1);
      const strength = 0.22 + 0.78 * Math.sqrt(share);
      drawing.globalAlpha = strength;
      drawing.fillStyle = row === column ? right : wrong;
      drawing.fillRect(x + inset, y + inset, size - inset, size - inset);
      drawing.globalAlpha = 1;
      if (this.#cell < numbersFrom) continue;
      drawing.fillStyle = isDark(row === column ? right : wrong, card, strength) ? '#fff' : '#000';
      drawing.font = `${Math.min(13, this.#cell / 2.4)}px ${font}`;
      drawing.textAlign = 'center';
      drawing.textBaseline = 'middle';
      drawing.fillText(String(count), x + size / 2, y + size / 2 + 1);
    }
  }

  /** Row and column of the cell that is spoken of. */
  #drawCross(colour: string): void {
    if (!this.#shown) return;
    const drawing = this.#context;
    const size = Math.max(this.#cell, 3);
    const [x, y] = [this.#left(this.#shown.column), this.#top(this.#shown.row)];
    drawing.fillStyle = colour;
    drawing.globalAlpha = 0.1;
    drawing.fillRect(0, y, this.#side, size);
    drawing.fillRect(x, 0, size, this.#side);
    drawing.globalAlpha = 1;
    drawing.strokeStyle = colour;
    drawing.lineWidth = 1.5;
    drawing.strokeRect(x, y, size, size);
  }

  #drawLabels(muted: string, text: string): void {
    const drawing = this.#context;
    drawing.font = `12px ${font}`;
    drawing.textBaseline = 'middle';
    drawing.fillStyle = muted;
    if (this.#cell < labelsFrom) {
      drawing.textAlign = 'left';
      drawing.fillText('taken for →', caption, caption / 2);
      drawing.textAlign = 'right';
      this.#upwards(caption / 2, caption, () => drawing.fillText('← is', 0, 0));
      return;
    }
    drawing.font = `${Math.min(12, this.#cell)}px ${font}`;
    const width = this.#gutter - 8;
    for (let at = Math.floor(this.#x); at < Math.min(this.#classes, this.#x + this.#extent); at++) {
      const x = this.#left(at) + this.#cell / 2;
      if (x < this.#gutter) continue;
      drawing.fillStyle = this.#shown?.column === at ? text : muted;
      drawing.textAlign = 'left';
      this.#upwards(x, this.#gutter - 4, () => drawing.fillText(this.#short(at, width), 0, 0));
    }
    for (let at = Math.floor(this.#y); at < Math.min(this.#classes, this.#y + this.#extent); at++) {
      const y = this.#top(at) + this.#cell / 2;
      if (y < this.#gutter) continue;
      drawing.fillStyle = this.#shown?.row === at ? text : muted;
      drawing.textAlign = 'right';
      drawing.fillText(this.#short(at, width), this.#gutter - 4, y);
    }
    drawing.fillStyle = muted;
    drawing.font = `11px ${font}`;
    drawing.textAlign = 'left';
    drawing.fillText('is ↓ taken for →', 4, 10, this.#gutter - 6);
  }

  #upwards(x: number, y: number, paint: () => void): void {
    this.#context.save();
    this.#context.translate(x, y);
    this.#context.rotate(-Math.PI / 2);
    paint();
    this.#context.restore();
  }

  /** Room at the left and above: for labels, or only for what the axes are while cells are too small for them. */
  #room(): number {
    return this.#cell < labelsFrom ? caption : this.#labelRoom();
  }

  #labelRoom(): number {
    return Math.min(this.#widest, Math.max(90, this.#side * 0.24));
  }

  #short(place: number, width: number): string {
    const label = data.labels[this.#ids[place] ?? 0] ?? '';
    if (this.#context.measureText(label).width <= width) return label;
    let length = label.length;
    while (length > 1 && this.#context.measureText(`${label.slice(0, length)}…`).width > width) length--;
    return `${label.slice(0, length)}…`;
  }

  #left(column: number): number {
    return this.#gutter + (column - this.#x) * this.#cell;
  }

  #top(row: number): number {
    return this.#gutter + (row - this.#y) * this.#cell;
  }

  /** A point of the canvas, in cells. */
  #at(x: number, y: number): { x: number; y: number } {
    return { x: this.#x + (x - this.#gutter) / this.#cell, y: this.#y + (y - this.#gutter) / this.#cell };
  }

  #find(x: number, y: number, reach: number): Cell | undefined {
    const at = this.#at(x, y);
    const [row, column] = [Math.floor(at.y), Math.floor(at.x)];
    if (x < this.#gutter || y < this.#gutter || row >= this.#classes || column >= this.#classes)
      return undefined;
    const exact = this.#count(row, column);
    const far = reach / this.#cell;
    if (exact > 0 || far < 0.5) return { row, column, count: exact };
    let found: Cell | undefined;
    let distance = far;
    for (const cell of this.#cells) {
      const away = Math.hypot(cell.row + 0.5 - at.y, cell.column + 0.5 - at.x);
      if (away < distance) [found, distance] = [cell, away];
    }
    return found ?? { row, column, count: 0 };
  }

  #count(row: number, column: number): number {
    return this.#counts.get((this.#ids[row] ?? 0) * this.#classes + (this.#ids[column] ?? 0)) ?? 0;
  }

  #sentence({ row, column, count }: Cell): string {
    const [actual, predicted] = [this.#ids[row] ?? 0, this.#ids[column] ?? 0];
    const total = this.#totals[actual] ?? 0;
    const [name, other] = [data.labels[actual], data.labels[predicted]];
    if (total === 0) return `There are no pictures of ‘${name}’.`;
    const share = `${count} of ${total} pictures of ‘${name}’ (${((100 * count) / total).toFixed(1)} %)`;
    return row === column ? `${share} were recognised.` : `${share} were taken for ‘${other}’.`;
  }
}

/** Whether white can be read better than black on a colour that is laid over another one; both as #rrggbb. */
function isDark(over: string, under: string, alpha: number): boolean {
  const light = [0.2126, 0.7152, 0.0722].map((weight, at) => {
    const channel = (hex: string): number => Number.parseInt(hex.slice(1 + 2 * at, 3 + 2 * at), 16) / 255;
    return weight * (alpha * channel(over) + (1 - alpha) * channel(under)) ** 2.2;
  });
  return light.reduce((a, b) => a + b, 0) < 0.18;
}

if (canvas && context && data) {
  const view = new ConfusionView(canvas, context);
  view.arrange(order?.value ?? 'likeness');
  order?.addEventListener('change', () => {
    view.arrange(order.value);
    view.draw();
  });
  // what fingers, mouse and keys mean is the matter of matrix-gestures
  canvas.addEventListener('matrix-gesture', (event) => {
    const { kind, x, y, amount } = (event as CustomEvent<MatrixGesture>).detail;
    if (kind === 'zoom') view.zoomBy(amount, x, y);
    else if (kind === 'move') view.move(x ?? 0, y ?? 0);
    else view.point(x ?? 0, y ?? 0, amount);
  });
  new ResizeObserver(() => view.resize()).observe(canvas.parentElement ?? canvas);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => view.draw());
}

export {};
