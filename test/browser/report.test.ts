import { mkdirSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Report } from '../../src/report/report.js';
import { writeReport } from '../../src/report/write-report.js';
import { findChromium, noChromium } from '../chromium.js';
import { scratch } from '../e2e/tool.js';
import { madeReport } from '../made-report.js';

const executablePath = findChromium();
if (!executablePath) console.warn(`left out, since ${noChromium}`);
const { path, remove } = scratch();
const hostile = '</script><script>document.title = "taken"</script><img src="http://127.0.0.1:9/x.png">';
const classes = 256;
const labels = Array.from({ length: classes }, (_, id) =>
  id === 200 ? hostile : `class ${String(id).padStart(3, '0')}`,
);

/** Side of the captions at the left and above the matrix while its cells are small. */
const caption = 22;

let browser: Browser;
let page: Page;
let report: Report;
let complaints: string[];

beforeAll(async () => {
  if (!executablePath) return;
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  mkdirSync(path('data', 'val'), { recursive: true });
  const background = { r: 200, g: 90, b: 30 };
  const picture = sharp({ create: { width: 300, height: 200, channels: 3, background } });
  await picture.jpeg().toFile(path('data', 'val', 'one.jpg'));
  const file = (number: number): string => (number % 2 ? 'val/one.jpg' : 'val/gone.jpg');
  report = madeReport({ labels, each: 24, file });
  await writeReport({ report, folder: path(), source: { folder: path('data'), samples: [] } });
});
afterAll(async () => {
  await browser?.close();
  remove();
});
beforeEach(({ skip }) => skip(!executablePath, noChromium));
afterEach(async () => {
  await page?.close();
});

type Finger = { readonly x: number; readonly y: number } | undefined;

/** Fingers on the screen, as the system reports them: all that touch it, each time. */
async function fingers(): Promise<{
  touch: (at: readonly Finger[]) => Promise<void>;
  lift: () => Promise<void>;
}> {
  const devtools = await page.context().newCDPSession(page);
  let before = 0;
  const send = async (
    type: 'touchStart' | 'touchMove' | 'touchEnd',
    at: readonly Finger[],
  ): Promise<void> => {
    const touchPoints = at.flatMap((finger, id) => (finger ? [{ ...finger, id }] : []));
    await devtools.send('Input.dispatchTouchEvent', { type, touchPoints });
    before = at.length;
  };
  return {
    touch: (at) => send(at.length > before ? 'touchStart' : 'touchMove', at),
    lift: () => send('touchEnd', []),
  };
}

async function open(options: BrowserContextOptions = {}): Promise<void> {
  page = await browser.newPage({ viewport: { width: 1280, height: 1100 }, ...options });
  complaints = [];
  const url = pathToFileURL(path('report.html')).href;
  page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (request.url() !== url && !request.url().startsWith('data:')) complaints.push(request.url());
  });
  await page.goto(url);
}

/** Middle of a cell on the screen, while the whole matrix is seen. */
async function middleOf(row: number, column: number): Promise<{ x: number; y: number }> {
  await page.locator('#matrix').scrollIntoViewIfNeeded();
  const box = (await page.locator('#matrix').boundingBox()) ?? { x: 0, y: 0, width: 0 };
  const cell = (box.width - caption) / classes;
  return { x: box.x + caption + (column + 0.5) * cell, y: box.y + caption + (row + 0.5) * cell };
}

async function hover(row: number, column: number): Promise<string> {
  const { x, y } = await middleOf(row, column);
  await page.mouse.move(x, y);
  return said();
}

async function said(): Promise<string> {
  return (await page.textContent('#matrix-said')) ?? '';
}

const columnOf = (column: number): Promise<string[]> =>
  page.locator(`#scores tbody tr:visible > :nth-child(${column})`).allTextContents();

/** The cell with the most mistakes between classes that a test can name. */
function worstCell(): [number, number, number] {
  const wrong = report.confusion.filter(([a, b]) => a !== b && a !== 200 && b !== 200);
  const [worst] = wrong.toSorted(([, , a], [, , b]) => b - a);
  return [...(worst ?? [0, 0, 0])] as [number, number, number];
}

describe('report.html', () => {
  it('loads nothing, complains of nothing, and shows names as text', async () => {
    await open();
    expect(await page.title()).toBe('resnet26: test report');
    expect(await page.locator('th', { hasText: hostile }).count()).toBe(1);
    const broken = await page
      .locator('img')
      .evaluateAll((all) =>
        all.filter((image) => (image as unknown as { naturalWidth: number }).naturalWidth === 0),
      );
    expect(broken).toHaveLength(0);
    const shown = await page.locator('figure img').count();
    const gone = await page.getByText('val/gone.jpg cannot be read').count();
    expect([shown > 0, gone > 0, shown + gone]).toEqual([true, true, 25]);
    expect(complaints).toEqual([]);
  });

  it('sorts the classes by each column, with what has no value last, and finds one', async () => {
    await open();
    expect(await columnOf(1)).toHaveLength(classes);
    const f1 = report.classes.map((each) => (each.f1 ?? 0).toFixed(3));
    await page.click('#scores thead th:nth-child(4) button');
    expect(await columnOf(4)).toEqual(f1.toSorted());
    expect(await page.getAttribute('#scores thead th:nth-child(4)', 'aria-sort')).toBe('ascending');
    await page.click('#scores thead th:nth-child(4) button');
    expect(await columnOf(4)).toEqual(f1.toSorted().reverse());
    expect(await page.locator('#scores thead th[aria-sort]').count()).toBe(1);
    await page.click('#scores thead th:nth-child(1) button');
    expect((await columnOf(1)).filter((label) => label !== hostile)[3]).toBe('class 003');
    await page.evaluate(
      `document.querySelector('#scores tbody').rows[5].cells[1].dataset.value = ''; document.querySelector('#scores tbody').rows[5].cells[1].textContent = '–'`,
    );
    for (let times = 0; times < 2; times++) {
      await page.click('#scores thead th:nth-child(2) button');
      expect((await columnOf(2)).at(-1)).toBe('–');
    }
    await page.fill('input[data-search=scores]', 'CLASS 07');
    expect((await columnOf(1)).toSorted()).toEqual(labels.slice(70, 80));
    expect(complaints).toEqual([]);
  });

  it('says which pair is under the pointer and how many, in either order', async () => {
    await open();
    const [actual, predicted, count] = worstCell();
    const sentence = `${count} of 24 pictures of ‘${labels[actual]}’ (${((100 * count) / 24).toFixed(1)} %) were taken for ‘${labels[predicted]}’.`;
    const place = (id: number): number => report.clusterOrder.indexOf(id);
    expect(await hover(place(actual), place(predicted))).toBe(sentence);
    await page.selectOption('#matrix-order', 'label');
    expect(await said()).toMatch(/^Point/);
    const byLabel = labels.toSorted((a, b) => a.localeCompare(b));
    const row = byLabel.indexOf(labels[actual] ?? '');
    const column = byLabel.indexOf(labels[predicted] ?? '');
    expect(await hover(row, column)).toBe(sentence);
    expect(await hover(row, row)).toMatch(new RegExp(`of 24 pictures of ‘${labels[actual]}’ .* recognised`));
    expect(complaints).toEqual([]);
  });

  it('zooms by buttons, keys and the wheel, and comes back to the whole', async () => {
    await open();
    const corner = (): Promise<string> => hover(classes - 1, classes - 1);
    const whole = await corner();
    const zoomed = async (): Promise<boolean> => (await corner()) !== whole;
    expect(whole).toContain(labels[report.clusterOrder.at(-1) ?? 0]);
    await page.click('[data-zoom="+"]');
    expect(await zoomed()).toBe(true);
    await page.click('[data-zoom="-"]');
    expect(await zoomed()).toBe(false);

    // unchosen, the wheel scrolls the page
    await page.mouse.wheel(0, -200);
    expect(await zoomed()).toBe(false);
    await page.locator('#matrix').focus();
    const before = await hover(100, 100);
    await page.mouse.wheel(0, -600);
    await expect.poll(zoomed).toBe(true);
    // what was under the pointer has stayed there
    expect(await hover(100, 100)).toBe(before);
    await page.keyboard.press('0');
    expect(await zoomed()).toBe(false);

    for (let times = 0; times < 12; times++) await page.keyboard.press('+');
    const seen = await hover(100, 100);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    const moved = await hover(100, 100);
    expect(moved).not.toBe(seen);
    const from = await middleOf(100, 100);
    await page.mouse.down();
    await page.mouse.move(from.x + 120, from.y, { steps: 4 });
    await page.mouse.up();
    // dragging by what the two keys moved brings back what was there
    expect(await hover(100, 100)).toBe(seen);
    await page.click('[data-zoom="0"]');
    expect(await zoomed()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('zooms by two fingers around the point between them, and moves by one', async () => {
    await open({ viewport: { width: 390, height: 844 }, hasTouch: true });
    await page.locator('#matrix').scrollIntoViewIfNeeded();
    const { touch, lift } = await fingers();
    const middle = await middleOf(60, 60);
    const at = async ({ x, y }: { x: number; y: number }): Promise<string> => {
      await touch([{ x, y }]);
      await lift();
      return said();
    };
    const far = await middleOf(classes - 2, classes - 2);
    const [seen, corner] = [await at(middle), await at(far)];
    expect(seen).toMatch(/of 24 pictures/);
    const apart = (distance: number) => [
      { x: middle.x - distance, y: middle.y },
      { x: middle.x + distance, y: middle.y },
    ];
    await touch([apart(10)[0]]);
    await touch(apart(10));
    for (let distance = 20; distance <= 80; distance += 10) await touch(apart(distance));
    await lift();
    // cells are large now, and what was between the fingers has stayed there
    expect(await at(middle)).toBe(seen);
    expect(await at(far)).not.toBe(corner);

    const beside = { x: middle.x + 40, y: middle.y };
    const next = await at(beside);
    await touch([beside]);
    for (let moved = 10; moved <= 40; moved += 10) await touch([{ x: beside.x - moved, y: beside.y }]);
    await lift();
    expect(await at(middle)).toBe(next);

    await touch([apart(85)[0]]);
    await touch(apart(85));
    for (let distance = 75; distance >= 5; distance -= 5) await touch(apart(distance));
    await lift();
    expect(await at(far)).toBe(corner);
    expect(complaints).toEqual([]);
  });

  it('fits a phone, answers a tap, and is dark where the system is', async () => {
    await open({ viewport: { width: 360, height: 740 }, hasTouch: true, colorScheme: 'dark' });
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect(overflow).toBeLessThanOrEqual(0);
    const { x, y } = await middleOf(30, 30);
    await page.touchscreen.tap(x, y);
    expect(await said()).toMatch(/of 24 pictures/);
    const shade = async (): Promise<number> => {
      const { channels } = await sharp(await page.locator('#matrix').screenshot()).stats();
      return channels[0]?.mean ?? -1;
    };
    expect(await shade()).toBeLessThan(80);
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(shade).toBeGreaterThan(180);
    expect(complaints).toEqual([]);
  });
});
