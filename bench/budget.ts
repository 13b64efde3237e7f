/**
 * `npm run bench:groups` prints it. What a kernel asks of a multiprocessor, read off its WGSL text: workgroup memory, lanes of a group, and the numbers that a lane
 * holds at once. The last is an estimate: at each line of a function the words (4 bytes) of the variables declared before it, or on
 * it, and named on it or later; in a loop, to the loop's end where they come from outside it; a call adds what the called function
 * holds. Left out: what an expression holds on its way, addresses, and whatever a compiler does with the text (it unrolls,
 * orders anew, computes twice, drops the elements of an array that nobody names: attention's arrays are as long as its widest head). So
 * it compares kernels and texts of one kernel; a driver's own count is another.
 */
import type { Shaping } from '../src/gpu/kernel.ts';
import { specialise, type AnyKernel, type KernelShaping } from '../src/gpu/pipelines.ts';

export interface KernelBudget {
  readonly workgroupBytes: number;
  readonly lanes: number; // of a workgroup
  readonly liveWords: number; // of a lane, at the line where it holds most
  readonly liveLine: number; // of the kernel's expanded text, from 1
}

/** WebGPU's defaults, which every device grants. */
export const GROUP_LIMITS = { workgroupBytes: 16_384, lanes: 256 } as const;

interface Type {
  readonly words: number; // that its numbers take
  readonly align: number; // words, in memory
  readonly element?: Type; // of an array, a vector or a matrix
  readonly fields?: ReadonlyMap<string, Type>;
}

const WORD: Type = { words: 1, align: 1 };
const vectorOf = (width: number): Type => ({ words: width, align: width === 3 ? 4 : width, element: WORD });
const roundUp = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Splits at the commas that stand outside brackets. */
function splitOutside(text: string): readonly string[] {
  const parts = [''];
  let depth = 0;
  for (const letter of text) {
    depth += /[<([]/.test(letter) ? 1 : /[>)\]]/.test(letter) ? -1 : 0;
    if (letter === ',' && depth === 0) parts.push('');
    else parts[parts.length - 1] += letter;
  }
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

/** Whole numbers by name: constants, overrides, and those of them that others are made of. */
class Constants {
  readonly #texts: ReadonlyMap<string, string>;
  constructor(source: string, overrides: Readonly<Record<string, number>>) {
    const lines = [...source.matchAll(/^(?:const|override) (\w+)(?:: \w+)? = ([^;]+);/gm)];
    const texts = new Map(lines.map(([, name, text]) => [name, text]));
    for (const [name, value] of Object.entries(overrides)) texts.set(name, String(value));
    this.#texts = texts;
  }

  /** A sum of products of numbers, names, brackets, min and max. @throws Error on anything else */
  value(text: string): number {
    const words = text.match(/\w+|[-+*/%(),]/g) ?? [];
    const take = (): string => words.shift() ?? '';
    const atom = (): number => {
      const word = take();
      if (word === '(' || word === 'min' || word === 'max') {
        if (word !== '(') take();
        const values = [sum()];
        while (take() === ',') values.push(sum());
        return word === 'max' ? Math.max(...values) : Math.min(...values);
      }
      if (/^\d+u?$/.test(word)) return parseInt(word);
      const known = this.#texts.get(word);
      if (known === undefined) throw new Error(`${text}: ${word || 'nothing'} is no whole number`);
      return this.value(known);
    };
    const chain = (signs: RegExp, next: () => number): number => {
      let value = next();
      while (signs.test(words[0] ?? '')) {
        const sign = take();
        const other = next();
        const results = { '+': value + other, '-': value - other, '*': value * other };
        value = results[sign as '+'] ?? (sign === '/' ? Math.floor(value / other) : value % other);
      }
      return value;
    };
    const sum = (): number => chain(/^[-+]$/, () => chain(/^[*/%]$/, atom));
    return sum();
  }
}

/** Types by the names that a text gives them. */
class Types {
  readonly #named = new Map<string, Type>();
  readonly #constants: Constants;
  constructor(source: string, constants: Constants) {
    this.#constants = constants;
    for (const [, name, text] of source.matchAll(/^alias (\w+) = ([^;]+);/gm))
      this.#named.set(name, this.of(text));
    for (const [, name, body] of source.matchAll(/^struct (\w+) \{([^}]*)\}/gm)) {
      const fields = new Map(
        splitOutside(body.replace(/\/\/.*/g, '')).map((field) => {
          const [label, type] = field.split(/:\s*/);
          return [label, this.of(type)] as const;
        }),
      );
      const all = [...fields.values()];
      const align = Math.max(...all.map((type) => type.align));
      const end = all.reduce((at, type) => roundUp(at, type.align) + type.words, 0);
      this.#named.set(name, { words: roundUp(end, align), align, fields });
    }
  }

  of(text: string): Type {
    const vector = /^vec(\d)/.exec(text);
    if (vector) return vectorOf(Number(vector[1]));
    const matrix = /^mat(\d)x(\d)/.exec(text);
    if (matrix) {
      const column = vectorOf(Number(matrix[2]));
      return { words: Number(matrix[1]) * column.align, align: column.align, element: column };
    }
    const inner = /^(?:array|atomic|ptr)<(.*)>$/.exec(text.trim());
    if (!inner) return this.#named.get(text.trim()) ?? WORD;
    const parts = splitOutside(inner[1]);
    if (text.startsWith('ptr')) return { ...this.of(parts[1]), words: 0 }; // what it points to is another's
    const element = this.of(parts[0]);
    if (text.startsWith('atomic')) return element;
    const length = parts[1] === undefined ? 0 : this.#constants.value(parts[1]); // of a binding: none
    return { words: length * roundUp(element.words, element.align), align: element.align, element };
  }
}

const SCALARS = 'dot|length|arrayLength|countOneBits|f32|u32|i32|bool|any|all|bitcast<u32>|bitcast<f32>';

/** The widest of what an expression names, outside of indices and of what makes one number of many. */
function typeOf(expression: string, known: ReadonlyMap<string, Type>, types: Types): Type {
  const made = /^(vec\d\w*|mat\w+|array<.*?>)(<\w+>)?\(/.exec(expression);
  if (made) return types.of(made[1]);
  let text = expression;
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replace(new RegExp(`\\b(?:${SCALARS})\\([^()]*\\)`, 'g'), '1').replace(/\[[^[\]]*\]/g, '#');
    if (before === text) text = text.replace(/([^\w]|^)\(([^()]*)\)/g, '$1 $2 '); // brackets that hold no arguments
  }
  const named = [...text.matchAll(/\b([A-Za-z_]\w*)((?:#|\.\w+)*)/g)].map(([, name, path]) => {
    let type = known.get(name) ?? (/^(vec\d|mat\d)/.test(name) ? types.of(name) : WORD);
    for (const [step] of path.matchAll(/#|\.\w+/g))
      type =
        step === '#'
          ? (type.element ?? WORD)
          : (type.fields?.get(step.slice(1)) ?? (step.length > 2 ? vectorOf(step.length - 1) : WORD));
    return type;
  });
  return named.reduce((widest, type) => (type.words > widest.words ? type : widest), WORD);
}

interface Block {
  readonly first: number; // line
  last: number;
  readonly isLoop: boolean;
  readonly outer: Block | null;
}

interface Variable {
  readonly name: string;
  readonly words: number;
  readonly at: number; // line
  readonly block: Block;
}

const isWithin = (block: Block | null, outer: Block): boolean =>
  block !== null && (block === outer || isWithin(block.outer, outer));

/** The line after which nothing reads it. */
function lastLineOf(
  { name, at, block }: Variable,
  lines: readonly string[],
  blocks: readonly Block[],
): number {
  const word = new RegExp(`\\b${name}\\b`);
  let last = block.isLoop && at === block.first ? block.last : at; // a loop's own lasts as long as the loop
  for (let line = at + 1; line <= block.last; line += 1) if (word.test(lines[line])) last = line;
  // Read in a loop that it is declared outside of, it is read again in the next round.
  for (const loop of blocks)
    if (
      loop.isLoop &&
      loop !== block &&
      isWithin(loop, block) &&
      loop.first <= last &&
      last <= loop.last &&
      at < loop.first
    )
      last = Math.max(last, loop.last);
  return last;
}

interface Held {
  readonly words: number;
  readonly line: number;
}

interface WrittenFunction {
  readonly params: string;
  readonly body: string; // from its first brace to its last
  readonly line: number; // of the first brace, from 0
}

/** The functions of a text by name. */
function functionsOf(text: string): ReadonlyMap<string, WrittenFunction> {
  const heads = [...text.matchAll(/^fn (\w+)\(([\s\S]*?)\)\s*(?:->[^{]+)?(?=\{)/gm)];
  return new Map(
    heads.map(({ 0: head, 1: name, 2: params, index }) => {
      const start = index + head.length;
      let [end, depth] = [start, 0];
      do {
        if (text[end] === '{') depth += 1;
        if (text[end] === '}') depth -= 1;
        end += 1;
      } while (depth > 0 && end < text.length);
      const line = text.slice(0, start).split('\n').length - 1;
      return [name, { params, body: text.slice(start, end), line }] as const;
    }),
  );
}

/** Blocks and variables of a function, in the order of its text. */
function readBody(
  { params, body, line: first }: WrittenFunction,
  globals: ReadonlyMap<string, Type>,
  types: Types,
) {
  const known = new Map(globals);
  const variables: Variable[] = [];
  const whole: Block = { first, last: first, isLoop: false, outer: null };
  const blocks: Block[] = [whole];
  for (const [, name, type] of params.matchAll(/(\w+): ((?:ptr<[^>]*>*|[\w<>]+))/g)) {
    known.set(name, types.of(type));
    variables.push({ name, words: types.of(type).words, at: first, block: whole });
  }
  let block: Block | null = null;
  let line = first;
  let statement = ''; // or the head of a block
  let begun = line;
  const declare = (into: Block): void => {
    const [head] = statement.replace(/^for \(/, '').split(';');
    const declared = /^(?:var|let) (\w+)(?:: ([^=]+?))?(?: = ([\s\S]*))?$/.exec(head.trim());
    if (!declared) return;
    const [, name, type, value] = declared;
    const made = type === undefined ? typeOf(value ?? '', known, types) : types.of(type.trim());
    known.set(name, made);
    variables.push({ name, words: made.words, at: begun, block: into });
  };
  for (const letter of body) {
    if (letter === '\n') line += 1;
    if (letter === '{' && block === null) block = whole;
    else if (letter === '{') {
      const inner: Block = {
        first: line,
        last: line,
        isLoop: /\b(for|while|loop)\b/.test(statement),
        outer: block,
      };
      blocks.push(inner);
      block = inner;
    }
    if (letter === ';' && /^for \(/.test(statement)) {
      statement += letter; // the variable of a loop's head belongs to the loop, whose brace comes
      continue;
    }
    if (block && (letter === ';' || letter === '{')) declare(block);
    if (letter === '}' && block) {
      block.last = line;
      block = block.outer;
    }
    if (/[;{}]/.test(letter)) statement = '';
    else if (statement === '' && letter.trim() !== '') [statement, begun] = [letter, line];
    else if (statement !== '') statement += letter;
  }
  return { variables, blocks };
}

/**
 * @param text of a kernel with its constants in force
 * @param overrides those that are not the text's own
 * @throws Error where the text is not as the kernels of the catalogue are written
 */
export function textBudget(text: string, overrides: Shaping = {}): KernelBudget {
  const source = text.replace(/\/\/.*/g, '');
  const lines = source.split('\n');
  const numbers = new Constants(source, overrides);
  const types = new Types(source, numbers);
  const globals = new Map<string, Type>();
  let workgroupBytes = 0;
  for (const [, space, name, text] of source.matchAll(/\bvar<(\w+)[^>]*> (\w+): ([^;]+);/g)) {
    const type = types.of(text);
    globals.set(name, type);
    if (space === 'workgroup') workgroupBytes += 4 * roundUp(type.words, 4);
  }
  const size = /@workgroup_size\(([^)]*)\)/.exec(source)?.[1] ?? '1';
  const lanes = splitOutside(size).reduce((product, text) => product * numbers.value(text), 1);
  const functions = functionsOf(
    source.replace(/@\w+(?:\([^)]*\))?[ \n]+(?=fn)/g, (text) => text.replace(/[^\n]/g, '')),
  );
  const held = new Map<string, Held>();
  const mostHeld = (name: string): Held => {
    const own = functions.get(name);
    if (!own) throw new Error(`no function ${name}`);
    const known = held.get(name);
    if (known) return known;
    const { variables, blocks } = readBody(own, globals, types);
    const spans = variables.map((each) => ({ ...each, last: lastLineOf(each, lines, blocks) }));
    let most: Held = { words: 0, line: own.line };
    for (let at = own.line; at <= blocks[0].last; at += 1) {
      const here = spans.filter((each) => each.at <= at && at <= each.last);
      const calls = [...lines[at].matchAll(/\b(\w+)\(/g)]
        .map(([, each]) => each)
        .filter((each) => functions.has(each) && each !== name);
      const words =
        here.reduce((sum, each) => sum + each.words, 0) +
        Math.max(0, ...calls.map((each) => mostHeld(each).words));
      if (words > most.words) most = { words, line: at };
    }
    held.set(name, most);
    return most;
  };
  const { words, line } = mostHeld('main');
  return { workgroupBytes, lanes, liveWords: words, liveLine: line + 1 };
}

/** Every shape in which a catalogue's contracts have a kernel run: its own, an adapter's that is the CPU, tuned, a card twin's. */
export function shapingsOf(kernel: AnyKernel, catalogue: readonly AnyKernel[]): readonly KernelShaping[] {
  const { onCpu, tunable } = kernel;
  const twins = catalogue.flatMap(({ onCards = [], ...plain }) =>
    onCards.filter((twin) => (twin.kernel ?? plain).name === kernel.name),
  );
  const own = [...(onCpu ? [onCpu] : []), ...(tunable?.candidates ?? [])].map((overrides) => ({ overrides }));
  const all: readonly KernelShaping[] = [{}, ...own, ...twins];
  const words = all.map(({ overrides = {}, constants = {} }) => JSON.stringify([overrides, constants]));
  return all.filter((_, place) => words.indexOf(words[place]) === place);
}

/** @throws Error as textBudget */
export const kernelBudget = (
  kernel: AnyKernel,
  { overrides, constants = {} }: KernelShaping = {},
): KernelBudget => textBudget(specialise(kernel, constants), overrides);

/** Kernel by kernel in each of its shapes. */
export function budgetTable(catalogue: readonly AnyKernel[]): string {
  const rows = catalogue.flatMap((kernel) =>
    shapingsOf(kernel, catalogue).map((shaping) => {
      const { workgroupBytes, lanes, liveWords, liveLine } = kernelBudget(kernel, shaping);
      const named = Object.entries({ ...shaping.overrides, ...shaping.constants });
      const words = named.map(([name, value]) => `${name} ${value}`).join(', ');
      return `| ${kernel.name} | ${words} | ${lanes} | ${workgroupBytes} | ${liveWords} | ${liveLine} |`;
    }),
  );
  const head = '| kernel | shape | lanes of a group | workgroup bytes | words a lane holds | at line |';
  return [head, '|---|---|---|---|---|---|', ...rows].join('\n');
}
