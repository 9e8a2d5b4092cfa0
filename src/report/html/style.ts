/** The style sheet of a report: light or dark as the reader's system is, one column on a phone. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f8fa; --card: #ffffff; --text: #1b1f24; --muted: #59636e; --grid: #d8dee4; --line: #d1d9e0;
  --series-1: #0072b2; --series-2: #d55e00; --right: #0072b2; --wrong: #d9480f; --focus: #0969da;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0d1117; --card: #161b22; --text: #e6edf3; --muted: #9aa4af; --grid: #2d343d; --line: #30363d;
    --series-1: #58a6ff; --series-2: #ff9e4f; --right: #58a6ff; --wrong: #ff7b3d; --focus: #58a6ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1120px; margin: 0 auto; padding: 24px 16px 48px; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 8px; }
p { margin: 0 0 12px; }
.muted { color: var(--muted); font-size: .9rem; }
.about { margin: 0 0 20px; overflow-wrap: anywhere; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px; margin: 0 0 18px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 18px; font-size: .95rem; }
a { color: var(--focus); }
.tiles { display: grid; gap: 14px; margin: 0; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); }
.tiles dt { color: var(--muted); font-size: .85rem; }
.tiles dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles dd small { display: block; font-size: .8rem; font-weight: 400; color: var(--muted); }
.charts { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: .9rem; margin: 0 0 6px; padding: 0; list-style: none; }
.key i { display: inline-block; width: 22px; height: 0; border-top: 3px solid; margin-right: 7px; vertical-align: middle; }
.one { color: var(--series-1); } .two { color: var(--series-2); } .dash { color: var(--text); }
.key .dash { border-top-style: dashed; border-top-width: 2px; }
.narrow { max-width: 520px; }
.tools { display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; margin: 0 0 10px; }
button, select, input {
  font: inherit; color: inherit; background: var(--page); border: 1px solid var(--line); border-radius: 6px;
  padding: 5px 11px; min-height: 36px;
}
button { cursor: pointer; }
input[type=search] { width: min(100%, 260px); }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.matrix { position: relative; max-width: 860px; }
canvas { display: block; width: 100%; background: var(--page); cursor: crosshair; }
.said { min-height: 1.5em; margin: 0 0 8px; overflow-wrap: anywhere; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin: 0 6px 0 0; vertical-align: -1px; }
.swatch.right { background: var(--right); } .swatch.wrong { background: var(--wrong); }
.scroll { overflow: auto; max-height: 34rem; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
tbody tr:last-child > * { border-bottom: 0; }
th.name, td.name { text-align: left; white-space: normal; overflow-wrap: anywhere; min-width: 7rem; font-weight: 400; }
thead th { position: sticky; top: 0; background: var(--card); box-shadow: inset 0 -1px var(--line); z-index: 1; padding: 0; }
thead th.plain { padding: 6px 10px; font-weight: 600; }
th.name { position: sticky; left: 0; background: var(--card); }
thead th.name { z-index: 2; }
thead th.left { text-align: left; }
thead button { border: 0; border-radius: 0; background: none; width: 100%; text-align: inherit; font-weight: 600; padding: 6px 10px; white-space: nowrap; }
thead button::after { content: "\\2195"; opacity: .35; margin-left: 5px; }
th[aria-sort=ascending] button::after { content: "\\2191"; opacity: 1; }
th[aria-sort=descending] button::after { content: "\\2193"; opacity: 1; }
.mistakes { display: grid; gap: 16px 14px; grid-template-columns: repeat(auto-fill, minmax(148px, 1fr)); }
figure { margin: 0; font-size: .88rem; line-height: 1.35; min-width: 0; }
figure img, .gone { display: block; width: 100%; aspect-ratio: 1; object-fit: contain; background: var(--page); border-radius: 6px; }
.gone { display: grid; place-items: center; color: var(--muted); text-align: center; padding: 8px; }
figcaption { margin-top: 6px; overflow-wrap: anywhere; }
figcaption b { font-weight: 600; }
figcaption .wrong { color: var(--wrong); } figcaption .right { color: var(--right); }
details { margin-top: 10px; }
details summary { cursor: pointer; }
footer { color: var(--muted); font-size: .85rem; }
@media (max-width: 560px) {
  main { padding: 16px 10px 32px; }
  section { padding: 14px 12px; }
  .said { min-height: 3em; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles dd { font-size: 1.25rem; }
  .mistakes { grid-template-columns: 1fr 1fr; }
  table { font-size: .85rem; }
  th, td, thead th.plain, thead button { padding-left: 6px; padding-right: 6px; }
  th.name, td.name { min-width: 5rem; }
}
`;
