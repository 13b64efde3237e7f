/** WGSL for CodeMirror: words, numbers, comments and attributes, line by line; enough to read by, no parser. */
import { StreamLanguage, type StreamParser } from '@codemirror/language';

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));

const KEYWORDS = words(
  'alias break case const const_assert continue continuing default diagnostic discard else enable fn for if let loop override requires return struct switch var while',
);
const ATOMS = words('true false');
const TYPES =
  /^(bool|[fiu]32|f16|vec[234][fhiu]?|mat[234]x[234][fh]?|array|atomic|ptr|sampler|texture_\w+|uniform|storage|read|write|read_write|workgroup|private|function)$/;
const BUILT_INS = words(
  'abs all any atomicAdd atomicLoad atomicStore bitcast ceil clamp cos countOneBits cross distance dot exp exp2 floor fma fract inverseSqrt length log log2 max min mix normalize pow round select sign sin smoothstep sqrt step storageBarrier tan tanh trunc unpack2x16float workgroupBarrier workgroupUniformLoad',
);
const NUMBER = /^(0[xX][\da-fA-F]+|\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)[fhiu]?/;

interface ModeState {
  depth: number; // of block comments, which nest in WGSL
}

function inComment(stream: Parameters<StreamParser<ModeState>['token']>[0], state: ModeState): string {
  while (state.depth > 0 && !stream.eol()) {
    if (stream.match('*/')) state.depth -= 1;
    else if (stream.match('/*')) state.depth += 1;
    else stream.next();
  }
  return 'comment';
}

function wordStyle(word: string): string | null {
  if (KEYWORDS.has(word)) return 'keyword';
  if (ATOMS.has(word)) return 'atom';
  if (TYPES.test(word)) return 'typeName';
  return BUILT_INS.has(word) ? 'builtin' : 'variableName';
}

const parser: StreamParser<ModeState> = {
  name: 'wgsl',
  startState: () => ({ depth: 0 }),
  copyState: ({ depth }) => ({ depth }),
  token(stream, state) {
    if (state.depth > 0) return inComment(stream, state);
    if (stream.eatSpace()) return null;
    if (stream.match('//')) {
      stream.skipToEnd();
      return 'comment';
    }
    if (stream.match('/*')) {
      state.depth = 1;
      return inComment(stream, state);
    }
    if (stream.match(/^@\w+/)) return 'attributeName';
    if (stream.match(NUMBER)) return 'number';
    const word = stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u);
    if (Array.isArray(word)) return wordStyle(word[0]);
    stream.next();
    return null;
  },
  languageData: { commentTokens: { line: '//', block: { open: '/*', close: '*/' } } },
};

export const wgsl = StreamLanguage.define(parser);
