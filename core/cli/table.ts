// Words in columns.

export type Alignment = 'left' | 'right';

/** One line per row, columns two spaces apart and as wide as their widest cell; nothing trails. `widest`: of rows that
 * stand above these already, and after it of these, too. */
export function columns(
  rows: readonly (readonly string[])[],
  alignment: readonly Alignment[] = [],
  widest: number[] = [],
): string[] {
  const widthsOf = rows.map(widthsIn);
  for (const widths of widthsOf) {
    widths.forEach((width, i) => {
      widest[i] = Math.max(widest[i] ?? 0, width);
    });
  }
  return rows.map((row, n) => {
    let line = '';
    row.forEach((cell, i) => {
      const space = ' '.repeat((widest[i] ?? 0) - (widthsOf[n]?.[i] ?? 0));
      line += `${i === 0 ? '' : '  '}${alignment[i] === 'right' ? space + cell : cell + space}`;
    });
    return line.trimEnd();
  });
}

/** Of all cells of a row; one look at the row tells whether its characters have to be counted. */
function widthsIn(row: readonly string[]): readonly number[] {
  const isCounted = !isPlain(row.join(''));
  return row.map((cell) => (isCounted ? [...cell].length : cell.length));
}

/** Printable ASCII, as nearly all text is: a thousand rows need no closer look. */
export const isPlain = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
