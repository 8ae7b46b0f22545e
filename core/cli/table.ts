// Words in columns.

export type Alignment = 'left' | 'right';

/** One line per row, columns two spaces apart and as wide as their widest cell; nothing trails. */
export function columns(rows: readonly (readonly string[])[], alignment: readonly Alignment[] = []): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) =>
    row
      .map((cell, i) => {
        const space = ' '.repeat((widths[i] ?? 0) - widthOf(cell));
        return alignment[i] === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, widthOf(cell));
  }
  return widths;
}

const widthOf = (text: string) => (isPlain(text) ? text.length : [...text].length);

/** Printable ASCII, as nearly all text is: a thousand rows need no closer look. */
export const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
