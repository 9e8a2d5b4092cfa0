// Runs in the reader's browser, within the report: tables that are sorted by a click on a column's head, and
// searched by the field before them.

function sortValue(row: HTMLTableRowElement, column: number): number | string | undefined {
  const cell = row.cells[column];
  const number = cell?.dataset.value;
  if (number === undefined) return cell?.textContent ?? '';
  // nothing to divide by: neither small nor large
  return number === '' ? undefined : Number(number);
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number'
    ? a - b
    : String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: 'base' });
}

function sortBy(table: HTMLTableElement, column: number): void {
  const heads = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
  const head = heads[column];
  const body = table.tBodies[0];
  if (!head || !body) return;
  const direction = head.ariaSort === 'ascending' ? -1 : 1;
  for (const other of heads) other.removeAttribute('aria-sort');
  head.ariaSort = direction === 1 ? 'ascending' : 'descending';
  const rows = [...body.rows].map((row) => ({ row, value: sortValue(row, column) }));
  rows.sort((a, b) => {
    if (a.value === undefined || b.value === undefined) {
      return Number(a.value === undefined) - Number(b.value === undefined);
    }
    return direction * compare(a.value, b.value);
  });
  body.append(...rows.map(({ row }) => row));
}

function search(table: HTMLTableElement, text: string): void {
  const wanted = text.trim().toLocaleLowerCase();
  for (const row of table.tBodies[0]?.rows ?? []) {
    row.hidden = !(row.cells[0]?.textContent ?? '').toLocaleLowerCase().includes(wanted);
  }
}

for (const table of document.querySelectorAll<HTMLTableElement>('table[data-sortable]')) {
  table.querySelectorAll('thead th').forEach((head, column) => {
    head.querySelector('button')?.addEventListener('click', () => sortBy(table, column));
  });
  const field = document.querySelector<HTMLInputElement>(`input[data-search="${table.id}"]`);
  field?.addEventListener('input', () => search(table, field.value));
}

export {};
