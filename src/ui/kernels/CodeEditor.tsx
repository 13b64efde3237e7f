/** CodeMirror as a React component. Loaded when it is first shown: it is a chunk of its own. */
import { StateField, EditorState, type Extension } from '@codemirror/state';
import {
  Decoration,
  EditorView,
  gutter,
  GutterMarker,
  drawSelection,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { changedLines } from './line_diff.ts';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import {
  bracketMatching,
  HighlightStyle,
  indentUnit,
  StreamLanguage,
  syntaxHighlighting,
  type StreamParser,
} from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { tags } from '@lezer/highlight';
import { useEffect, useRef } from 'react';
import type { TextProblem } from '../../store/ask/inspection.ts';

// Lines that are not in the original: a + beside them and a washed line; − where lines of the original are gone. The sign says
// what the colour says.

const SIGNS = { added: '+', gone: '−', both: '±' } as const;
type Sign = keyof typeof SIGNS;

class Mark extends GutterMarker {
  readonly #sign: Sign;
  constructor(sign: Sign) {
    super();
    this.#sign = sign;
    this.elementClass = `cm-change-${sign}`;
  }
  override toDOM(): Text {
    return document.createTextNode(SIGNS[this.#sign]);
  }
}

const MARKS: Readonly<Record<Sign, Mark>> = {
  added: new Mark('added'),
  gone: new Mark('gone'),
  both: new Mark('both'),
};
const newLine = Decoration.line({ class: 'cm-new-line' });

/** Marks by line number; what is gone from the end of the original is marked on the last line. */
function signsOf(original: string, { doc }: EditorState): ReadonlyMap<number, Sign> {
  const { added, gone } = changedLines(original, doc.toString());
  const signs = new Map<number, Sign>(added.map((line) => [line, 'added']));
  for (const before of gone) {
    const line = Math.min(before, doc.lines);
    signs.set(line, signs.has(line) && signs.get(line) !== 'gone' ? 'both' : 'gone');
  }
  return signs;
}

/** Follows every change of the text, also those that come from outside. */
function changeMarks(original: string): Extension {
  const signs = StateField.define<ReadonlyMap<number, Sign>>({
    create: (state) => signsOf(original, state),
    update: (value, { docChanged, state }) => (docChanged ? signsOf(original, state) : value),
  });
  const lines = EditorView.decorations.compute([signs], (state) =>
    Decoration.set(
      [...state.field(signs)]
        .filter(([, sign]) => sign !== 'gone')
        .map(([line]) => newLine.range(state.doc.line(line).from)),
      true,
    ),
  );
  const column = gutter({
    class: 'cm-changes',
    lineMarker(view, { from }) {
      const sign = view.state.field(signs).get(view.state.doc.lineAt(from).number);
      return sign ? MARKS[sign] : null;
    },
    lineMarkerChange: ({ docChanged }) => docChanged,
    initialSpacer: () => MARKS.added,
  });
  return [signs, lines, column];
}

// The editor in the page's own colours, so that both themes and the projector's size need nothing more.

const frame = EditorView.theme({
  '&': {
    color: 'var(--ink)',
    backgroundColor: 'var(--surface)',
    border: '1px solid var(--line-strong)',
    fontSize: 'var(--small)',
  },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.5' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-gutters': { color: 'var(--ink-soft)', backgroundColor: 'var(--paper)', border: 'none' },
  '.cm-activeLine, .cm-activeLineGutter': { backgroundColor: 'transparent' },
  '&.cm-focused .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--accent-wash) !important', // CodeMirror's own rule is more specific
  },
  '.cm-matchingBracket': { backgroundColor: 'var(--accent-wash)', outline: '1px solid var(--accent)' },
  '.cm-changes': { width: '1rem', fontWeight: '700', textAlign: 'center' },
  '.cm-changes [class*="cm-change-"]': { color: 'var(--accent)' },
  '.cm-new-line': { backgroundColor: 'var(--accent-wash)' },
  '.cm-lintRange-error': {
    backgroundImage: 'none',
    textDecoration: 'underline wavy var(--malformed)',
  },
  '.cm-tooltip': {
    color: 'var(--ink)',
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--line-strong)',
  },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: 'var(--ink-soft)', fontStyle: 'italic' },
  { tag: tags.keyword, color: 'var(--accent)', fontWeight: '600' },
  { tag: tags.typeName, color: 'var(--credit-minus)' },
  { tag: [tags.number, tags.atom], color: 'var(--correct)' },
  { tag: tags.attributeName, color: 'var(--malformed)' },
  { tag: tags.standard(tags.variableName), color: 'var(--accent)' },
]);

export const editorTheme: Extension = [frame, syntaxHighlighting(colours)];

// WGSL for CodeMirror: words, numbers, comments and attributes, line by line; enough to read by, no parser.

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

interface CodeEditorProps {
  readonly label: string;
  readonly text: string; // replaces what is in the editor whenever it differs from what was last told
  readonly original: string; // lines that it does not have are marked
  readonly problems: readonly TextProblem[];
  readonly goTo: { readonly line: number } | null; // from 1: brings the cursor there, each time it is another object
  readonly onChange: (text: string) => void;
}

/** A problem on its line; one of the whole text stands on the first. */
function diagnosticOf(view: EditorView, { line, column, message }: TextProblem): Diagnostic {
  const { doc } = view.state;
  const found = doc.line(Math.min(Math.max(line, 1), doc.lines));
  const from = Math.min(found.from + Math.max(0, column - 1), found.to);
  return { from, to: found.to, severity: 'error', message };
}

export default function CodeEditor({ label, text, original, problems, goTo, onChange }: CodeEditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef(text);
  const change = useRef(onChange);
  useEffect(() => {
    change.current = onChange;
  });
  useEffect(() => {
    const editor = new EditorView({
      parent: place.current!, // mounted before effects run
      state: EditorState.create({
        doc: told.current,
        extensions: [
          lineNumbers(),
          changeMarks(original),
          lintGutter(),
          history(),
          drawSelection(),
          EditorView.lineWrapping, // the page scrolls, the editor does not: nothing is out of the keyboard's reach
          bracketMatching(),
          indentUnit.of('  '),
          wgsl,
          editorTheme,
          keymap.of([...defaultKeymap, ...historyKeymap]), // Tab moves on: it is the keyboard's way out
          EditorView.contentAttributes.of({ 'aria-label': label, spellcheck: 'false' }),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (!docChanged || state.doc.toString() === told.current) return;
            told.current = state.doc.toString();
            change.current(told.current);
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [label, original]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    told.current = text;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text, label, original]);
  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const list = problems.map((problem) => diagnosticOf(editor, problem));
    editor.dispatch(setDiagnostics(editor.state, list));
  }, [problems, label, original]);
  useEffect(() => {
    const editor = view.current;
    if (!editor || !goTo) return;
    const { doc } = editor.state;
    const { from } = doc.line(Math.min(Math.max(goTo.line, 1), doc.lines));
    editor.dispatch({ selection: { anchor: from }, scrollIntoView: true });
    editor.focus();
  }, [goTo]);
  return <div ref={place} className="code-editor" />;
}
