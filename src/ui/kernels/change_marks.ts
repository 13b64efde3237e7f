/**
 * Lines of the editor that are not in the original: a + beside them and a washed line; − where lines of the original are
 * gone. The sign says what the colour says.
 */
import { StateField, type EditorState, type Extension } from '@codemirror/state';
import { Decoration, EditorView, gutter, GutterMarker } from '@codemirror/view';
import { changedLines } from './line_diff.ts';

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
export function changeMarks(original: string): Extension {
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
