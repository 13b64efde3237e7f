/** Which tree: update, prompt, question. Shared by Tree, Credit and Loss. */
import {
  useLab,
  usePlayer,
  useRun,
  useSelection,
  useQuestion,
  useSentence,
  useTransport,
  useTree,
  useUpdate,
} from './binding.ts';
import { Hidable } from './parts.tsx';
import { Label } from './Term.tsx';
import { isDead } from '../../store/record/reading.ts';

const LONG = 240; // characters
/** Of such a question two lines stand beside a tree; the whole of it is in the conversation. */
export const isLong = (question: string): boolean => question.length > LONG;

interface PromptBarProps {
  readonly mark?: (prompt: number) => string; // said after a prompt's number
  readonly saysDead?: boolean; // which trees are dead, which tells that their rewards are equal
}

export function PromptBar({ mark, saysDead = true }: PromptBarProps) {
  const { selection } = useLab();
  const update = useUpdate();
  const tree = useTree();
  const read = useSentence();
  const asked = useQuestion();
  const updateCount = useRun((run) => run.updates.length);
  const prompt = useSelection((state) => state.prompt);
  if (!update) return null;
  const question = tree ? asked(tree.prompt) : '';
  const goTo = (next: number): void => {
    if (next >= 1 && next <= updateCount) selection.select({ update: next });
  };
  return (
    <div className="bar prompt-bar" role="group" aria-label="Which tree">
      <Hidable name="updates">
        <button
          type="button"
          aria-label="Previous update"
          disabled={update.update <= 1}
          onClick={() => goTo(update.update - 1)}
        >
          [
        </button>
      </Hidable>
      <span className="number">update {update.update}</span>
      <Hidable name="updates">
        <button
          type="button"
          aria-label="Next update"
          disabled={update.update >= updateCount}
          onClick={() => goTo(update.update + 1)}
        >
          ]
        </button>
      </Hidable>
      <Hidable name="prompts">
        <label>
          <Label>prompt</Label>{' '}
          <select
            value={prompt}
            onChange={(event) => selection.select({ prompt: Number(event.target.value) })}
          >
            {update.trees.map((entry, index) => (
              <option key={index} value={index}>
                {index + 1} of {update.trees.length}
                {saysDead && isDead(entry) ? ' (dead)' : ''}
                {mark?.(index) ?? ''}
              </option>
            ))}
          </select>
        </label>
      </Hidable>
      {tree && (
        <span className="question" data-long={isLong(question)}>
          {tree.prompt.dataset !== '' && <span className="soft">{tree.prompt.dataset}: </span>}
          {question}
          {tree.prompt.answer && (
            <>
              <span className="soft"> answer: </span>
              {read(tree.prompt.answer)}
            </>
          )}
        </span>
      )}
    </div>
  );
}

/** Where a view has no tree to show: what is awaited, or what to do. */
export function NoTree() {
  const wanted = useSelection((selection) => selection.update);
  const here = useRun((run) => run.updates.length);
  const isLoading = usePlayer((player) => !player.complete);
  const recorded = useTransport((transport) => transport.source === 'recorded');
  const first = useRun((run) => run.header === null);
  let words = 'No tree yet: press Play.';
  if (recorded && isLoading && wanted !== null && wanted > here)
    words = `Update ${wanted} of the recorded run is on its way: the file is still loading.`;
  else if (recorded && isLoading && first) words = 'The recorded run is on its way.';
  const inFile = useUpdate()?.elsewhere !== undefined;
  if (inFile) words = 'Its trees stand in the file.';
  return (
    <>
      {inFile && <PromptBar />}
      <p className="empty" role="status">
        {words}
      </p>
    </>
  );
}
