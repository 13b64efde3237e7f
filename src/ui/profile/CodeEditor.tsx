/** CodeMirror as a React component. Loaded when it is first shown: it is a chunk of its own. */
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { bracketMatching, indentUnit } from '@codemirror/language';
import { lintGutter, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import { EditorState } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers } from '@codemirror/view';
import { useEffect, useRef } from 'react';
import type { TextProblem } from '../../store/inspection.ts';
import { changeMarks } from './change_marks.ts';
import { editorTheme } from './editor_theme.ts';
import { wgsl } from './wgsl_mode.ts';

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
