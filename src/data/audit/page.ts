import { html, raw } from 'hono/html';
import sharp from 'sharp';
import type { Audit } from './audit.js';
import type { DuplicateGroup } from './duplicates.js';
import type { Inspection } from './inspect.js';

/** Groups, and pictures of a group, that the page shows; it stays a few megabytes. */
const mostGroups = 100;
const mostPictures = 8;

const side = 120;

type Html = ReturnType<typeof html>;

/** The findings with their pictures as one HTML file that needs nothing else. */
export async function auditPage(audit: Audit): Promise<string> {
  const { leaks, clashes, duplicates, broken, classes } = audit;
  const harmless = duplicates.filter(({ leak, clash }) => !leak && !clash);
  const mostOfAClass = classes[0]?.pictures ?? 1;
  const page = html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>Audit of ${audit.folder}</title>
      <style>
        ${raw(style)}
      </style>
      <h1>Audit of ${audit.folder}</h1>
      <p>
        ${audit.pictures} pictures of ${classes.length} classes; ${broken.length} broken, ${duplicates.length} groups
        of duplicates, ${leaks.length} leaks, ${clashes.length} label clashes. Grey
        ${(100 * audit.greyShare).toFixed(1)} %, CMYK ${(100 * audit.cmykShare).toFixed(1)} %.
      </p>
      ${await groupSection('In train and in val', leaks)} ${await groupSection('In more than one class', clashes)}
      ${await groupSection('Duplicates within one class', harmless)}
      ${
        broken.length === 0
          ? ''
          : html`<h2>Broken files</h2>
            <table>
              ${broken.map(({ file, reason }) => html`<tr><td>${file}</td><td>${reason}</td></tr>`)}
            </table>`
      }
      ${await pictureSection('Very small', audit.sizeOutliers)}
      ${await pictureSection('Very long', audit.aspectOutliers)}
      <h2>Pictures of each class</h2>
      <table>
        ${classes.map(
          ({ label, pictures }) => html`<tr>
            <td>${label}</td>
            <td class="number">${pictures}</td>
            <td class="wide"><i style="width: ${((100 * pictures) / mostOfAClass).toFixed(1)}%"></i></td>
          </tr>`,
        )}
      </table>
    </html>`;
  return String(await page);
}

async function groupSection(title: string, groups: readonly DuplicateGroup[]): Promise<Html | ''> {
  if (groups.length === 0) return '';
  const rows: Html[] = [];
  for (const { kind, pictures } of groups.slice(0, mostGroups)) {
    rows.push(html`<div class="group">
      <b>${kind === 'exact' ? 'same file' : 'near'}</b> ${await figures(pictures)}
    </div>`);
  }
  return html`<h2>${title} (${groups.length})</h2>
    ${rows} ${groups.length > mostGroups ? html`<p>and ${groups.length - mostGroups} more: see --json</p>` : ''}`;
}

async function pictureSection(title: string, pictures: readonly Inspection[]): Promise<Html | ''> {
  if (pictures.length === 0) return '';
  return html`<h2>${title} (${pictures.length})</h2>
    <div class="group">${await figures(pictures, mostGroups)}</div>`;
}

async function figures(pictures: readonly Inspection[], most = mostPictures): Promise<Html[]> {
  const all = await Promise.all(pictures.slice(0, most).map(figure));
  return pictures.length > most ? [...all, html`<span>and ${pictures.length - most} more</span>`] : all;
}

async function figure({ picture, width, height }: Inspection): Promise<Html> {
  const where = [picture.split, picture.label].filter(Boolean).join(', ');
  return html`<figure>
    <img src="data:image/jpeg;base64,${await thumbnail(await picture.read())}" alt="${picture.file}" />
    <figcaption>${where}<br />${width} x ${height}<br /><small>${picture.file}</small></figcaption>
  </figure>`;
}

async function thumbnail(bytes: Buffer): Promise<string> {
  const jpeg = await sharp(bytes)
    .autoOrient()
    .resize({ width: side, height: side, fit: 'inside' })
    .flatten({ background: '#ffffff' })
    .toColourspace('srgb')
    .jpeg({ quality: 75 })
    .toBuffer();
  return jpeg.toString('base64');
}

const style = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 1rem auto; max-width: 70rem; padding: 0 1rem; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
.group { display: flex; flex-wrap: wrap; gap: .8rem; align-items: flex-start; padding: .6rem 0; border-top: 1px solid #8884; }
.group b { width: 5rem; font-weight: 500; }
figure { margin: 0; width: ${side}px; overflow-wrap: anywhere; font-size: 13px; }
img { max-width: 100%; display: block; }
table { border-collapse: collapse; width: 100%; }
td { padding: .1rem .8rem .1rem 0; vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.wide { width: 60%; vertical-align: middle; }
.wide i { display: block; height: .7em; background: #4a7ebb; }
`;
