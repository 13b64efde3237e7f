/**
 * The reference's reward on text: format check, boxed answer, exact match and token F1. Our environments score
 * tokens; this one is for text answers and for checking the rules against the released code.
 * @see released code reward_score/deep_research_em; arXiv:2601.04767 App. B.1
 */

export interface TextScore {
  readonly reward: number; // −1 bad format, 0 wrong, 1 right; F1 + 0.1 when both tools were used
  readonly exactMatch: number; // 0 or 1
  readonly f1: number; // [0, 1], best over the targets
  readonly answer: string; // '' when none could be extracted
}

const BOTH_TOOLS_BONUS = 0.1;
const PUNCTUATION = /[!-/:-@[-`{-~]/g; // ASCII punctuation
const ARTICLES = /(?<![\p{L}\p{N}_])(?:a|an|the)(?![\p{L}\p{N}_])/gu; // whole words, also beside letters beyond ASCII
const CLOSED_ANSWERS = new Set(['yes', 'no', 'noanswer']);

const countOf = (text: string, part: string): number => text.split(part).length - 1;

/** Every opening tag is followed, in this order, by its closing tag, a result and the result's end. */
function callsAnswered(text: string, tool: 'search' | 'python'): boolean {
  let from = 0;
  for (;;) {
    const open = text.indexOf(`<${tool}>`, from);
    if (open < 0) return true;
    const close = text.indexOf(`</${tool}>`, open);
    const result = text.indexOf('<result>', open);
    const end = result < 0 ? -1 : text.indexOf('</result>', result);
    if (close < 0 || result < 0 || end < 0 || !(close < result && result < end)) return false;
    from = end;
  }
}

/** The format that training rewards insist on. */
export function hasValidFormat(text: string): boolean {
  const thoughts = countOf(text, '<think>');
  if (thoughts === 0 || thoughts !== countOf(text, '</think>')) return false;
  if (countOf(text, '<answer>') !== 1 || countOf(text, '</answer>') !== 1) return false;
  if (!callsAnswered(text, 'search') || !callsAnswered(text, 'python')) return false;
  const [open, close] = [text.indexOf('<answer>'), text.indexOf('</answer>')];
  const answer = text.slice(open, Math.max(open, close));
  return answer.includes('\\boxed{') && answer.includes('}');
}

/** From the last box command to the brace that closes it; null if there is none or it stays open. */
function lastBox(text: string): string | null {
  const start = text.includes('\\boxed') ? text.lastIndexOf('\\boxed') : text.lastIndexOf('\\fbox');
  if (start < 0) return null;
  let open = 0;
  for (let place = start; place < text.length; place += 1) {
    if (text[place] === '{') open += 1;
    if (text[place] !== '}') continue;
    open -= 1;
    if (open === 0) return text.slice(start, place + 1);
  }
  return null;
}

/** Content of the answer's last box, braces balanced; null if there is no answer or no box. */
export function boxedAnswer(text: string): string | null {
  const answer = /<answer>(.*?)<\/answer>/s.exec(text)?.[1];
  if (answer === undefined) return null;
  const spaced = answer.lastIndexOf('\\boxed '); // an unbraced box runs to the next dollar sign
  if (spaced >= 0) return answer.slice(spaced + '\\boxed '.length).split('$')[0];
  const box = lastBox(answer);
  return box?.startsWith('\\boxed{') ? box.slice('\\boxed{'.length, -1) : null;
}

/** Lower case, no punctuation, no articles, single spaces. */
const normalised = (text: string): string =>
  text
    .toLowerCase()
    .replace(PUNCTUATION, '')
    .replace(ARTICLES, ' ')
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .join(' ');

/** Token F1 of normalised texts. yes, no and noanswer count only when equal. */
function tokenF1(prediction: string, target: string): number {
  if (prediction !== target && (CLOSED_ANSWERS.has(prediction) || CLOSED_ANSWERS.has(target))) return 0;
  const left = prediction.split(' ').filter(Boolean);
  const right = target.split(' ').filter(Boolean);
  const unmatched = [...right];
  let common = 0;
  for (const word of left) {
    const place = unmatched.indexOf(word);
    if (place < 0) continue;
    unmatched.splice(place, 1);
    common += 1;
  }
  if (common === 0) return 0;
  const [precision, recall] = [common / left.length, common / right.length];
  return (2 * precision * recall) / (precision + recall);
}

/**
 * Scores a response against its targets.
 * @param validation skips the format check, as the reference does when it evaluates
 */
export function computeScore(response: string, targets: readonly string[], validation: boolean): TextScore {
  const unanswered: TextScore = { reward: -1, exactMatch: 0, f1: 0, answer: '' };
  if (!validation && !hasValidFormat(response)) return unanswered;
  const answer = boxedAnswer(response);
  if (answer === null) return unanswered;
  const prediction = normalised(answer);
  const wanted = targets.map(normalised);
  const exactMatch = wanted.includes(prediction) ? 1 : 0;
  const f1 = Math.max(0, ...wanted.map((target) => tokenF1(prediction, target)));
  const usedBoth = response.includes('</search>') && response.includes('</python>');
  const reward = f1 > 0 ? (usedBoth ? f1 + BOTH_TOOLS_BONUS : exactMatch) : 0;
  return { reward, exactMatch, f1, answer };
}
