/** JSON as Python writes it: NaN and infinities stand bare where a number may. */

const NOT_A_NUMBER = '\u0000NaN';

/** The same text with bare NaN as a marked string and infinities as numbers that overflow; strings stay. */
function withoutBareNumbers(text: string): string {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const quoteAt = text.indexOf('"', at);
    const outside = text.slice(at, quoteAt < 0 ? text.length : quoteAt);
    parts.push(outside.replace(/\bInfinity\b/g, '1e999').replace(/-?\bNaN\b/g, JSON.stringify(NOT_A_NUMBER)));
    if (quoteAt < 0) break;
    at = endOfString(text, quoteAt);
    parts.push(text.slice(quoteAt, at));
  }
  return parts.join('');
}

/** After the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}

/**
 * As JSON.parse; NaN, Infinity and -Infinity outside strings are numbers.
 * @throws SyntaxError where the text is neither
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!/\b(?:NaN|Infinity)\b/.test(text)) throw error;
    return JSON.parse(withoutBareNumbers(text), (_key, value: unknown) =>
      value === NOT_A_NUMBER ? Number.NaN : value,
    );
  }
}
