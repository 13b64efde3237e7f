/** The run as it happens: transport, curves, the batch as tiny trees, one question in words, settings. */
import { useMemo, useState } from 'react';
import { bestLeaf, pathTokens, rewardOf } from '../../store/record/reading.ts';
import type { RunState, TreeState } from '../../store/record/run_state.ts';
import {
  useIsHidden,
  useOfUpdate,
  useQuestion,
  useSentence,
  useTold,
  useVocabulary,
  useLab,
  useRun,
  useSelection,
  useTransport,
} from '../parts/binding.ts';
import { formatSigned, formatCount, formatSetting } from '../parts/format.ts';
import { isLong } from '../parts/PromptBar.tsx';
import { Hidable, RewardMark, Missing, useMissing } from '../parts/parts.tsx';
import { rewardClass } from '../parts/scales.ts';
import { Transcript } from '../parts/Transcript.tsx';
import { isElsewhere } from '../../store/place/selection.ts';
import { methodTitle } from '../../store/lab/knobs.ts';
import { Alarms } from '../parts/Alarms.tsx';
import { BatchStrip } from '../parts/BatchStrip.tsx';
import { LazyPart } from '../parts/Boundary.tsx';
import { Label } from '../parts/Term.tsx';
import { QuestionsButton } from '../questions/QuestionsButton.tsx';
import { useKeys } from '../shell/keys.tsx';
import { Curves } from './Curves.tsx';
import { FirstSight } from './FirstSight.tsx';
import { Knobs } from './Knobs.tsx';
import { MethodChanges } from './MethodCard.tsx';
import { Scrubber, TransportBar } from './TransportBar.tsx';

interface BestPathProps {
  readonly tree: TreeState;
  readonly vocabulary: readonly string[];
}

function BestPath({ tree, vocabulary }: BestPathProps) {
  const leaf = bestLeaf(tree);
  const tokens = useMemo(
    () => (leaf === null ? [] : pathTokens(tree, leaf, vocabulary)),
    [tree, leaf, vocabulary],
  );
  const told = useTold(tree, leaf);
  if (leaf === null) return <p className="small soft">The first paths are being sampled.</p>;
  const reward = rewardOf(tree, leaf);
  const kind = rewardClass(reward);
  return (
    <>
      <p className="verdict small">
        {reward === null ? (
          'First path to end, not rewarded yet'
        ) : (
          <>
            <RewardMark kind={kind} /> Best path: {kind}, reward {formatSigned(reward, 0)}
          </>
        )}
        <span className="soft"> · hatched: environment text, no loss · shade: token entropy</span>
      </p>
      <Transcript tokens={tokens} shading="entropy" showPrompt={false} told={told} />
    </>
  );
}

/** The question of a prompt and its best path in words. */
function Answer({ prompt }: { readonly prompt: number }) {
  const tree = useOfUpdate((update) => update?.trees[prompt]);
  const vocabulary = useVocabulary();
  const words = useSentence();
  const asked = useQuestion();
  if (!tree) return <section className="answer" aria-label="Question" />;
  const question = asked(tree.prompt);
  return (
    <section className="answer" aria-label="Question" tabIndex={0}>
      <div className="section-head">
        <h2>
          <Label>{`Prompt ${prompt + 1}`}</Label>
          {tree.prompt.dataset !== '' && (
            <>
              {' '}
              · <Label>{tree.prompt.dataset}</Label>
            </>
          )}
        </h2>
      </div>
      <p className="question" data-long={isLong(question)}>
        {question} {tree.prompt.answer && <span className="truth">{words(tree.prompt.answer)}</span>}
      </p>
      <BestPath tree={tree} vocabulary={vocabulary} />
    </section>
  );
}

/** Updates after which curves say more than a story. */
const STORY_UPDATES = 3;

const finishedUpdates = ({ updates }: RunState): number =>
  updates.filter(({ metrics }) => metrics !== null).length;

/**
 * Where a run begins before one's eyes its story stands in place of empty charts; the button shows it again. A live run brings
 * its own curves; of a recording, which goes fast, it stays until the person leaves it: closes it, scrolls past it, goes to a later update.
 */
function CurvesOrStory() {
  const isLive = useTransport(({ source }) => source === 'live');
  const isLate = useSelection(({ update }) => update !== null && update > STORY_UPDATES);
  const isGrown = useRun((run) => finishedUpdates(run) >= STORY_UPDATES);
  const isYoung = isLive ? !isGrown : !isLate;
  const isEmpty = useRun((run) => finishedUpdates(run) === 0);
  const [began, setBegan] = useState(isEmpty);
  const [asked, setAsked] = useState<boolean | null>(null);
  const isLesson = useSelection(isElsewhere);
  if (isEmpty && !began) setBegan(true);
  if (isLesson) return <Curves />; // which has a story of its own
  if (asked ?? (began && isYoung)) return <FirstSight onClose={() => setAsked(false)} />;
  return <Curves onStory={() => setAsked(true)} />;
}

const loadThisFile = () => import('../imported/ThisFile.tsx');

/** Settings stay open where there is room for a third column. */
const WIDE = '(min-width: 1600px)';

function ConfigLine() {
  const header = useRun((run) => run.header);
  if (!header) return null;
  const { config, origin, parameterCount } = header;
  if (!config)
    return origin.kind === 'imported' ? (
      <p className="small soft">
        {origin.file}, read as {origin.format}
      </p>
    ) : null;
  const { algorithm, optimiser, preset, seed } = config;
  const { rollout, credit, loss } = algorithm;
  const items: readonly (readonly [string, string])[] = [
    ['method', methodTitle(algorithm.name)],
    ['preset', preset],
    ['seed', String(seed)],
    ['parameters', parameterCount === null ? 'unknown' : formatCount(parameterCount)],
    ['rollout', rollout.shape],
    ['M, L, K', `${rollout.initialBranches}, ${rollout.iterations}, ${rollout.picks}`],
    ['lr', formatSetting(optimiser.learningRate)],
    ['clip', `${formatSetting(loss.clipLow)} / ${formatSetting(loss.clipHigh)}`],
    ['ratio', loss.ratioLevel],
    ['value', credit.valueRule],
    ['advantage', credit.advantageRule],
  ];
  return (
    <>
      <dl className="config-line small">
        {items.map(([term, value]) => (
          <div key={term}>
            <dt>
              <Label>{term}</Label>
            </dt>
            <dd className="number">{value}</dd>
          </div>
        ))}
      </dl>
      <MethodChanges config={config} />
    </>
  );
}

export function TrainView() {
  const [preview, setPreview] = useState<number | null>(null);
  const [settings, setSettings] = useState(() => matchMedia(WIDE).matches);
  const selected = useSelection((selection) => selection.prompt);
  const trees = useOfUpdate((update) => update?.trees.length ?? 0);
  const sentences = useMissing('train');
  const isImported = useRun(({ header }) => header?.origin.kind === 'imported');
  const open = !useIsHidden('settings') && settings;
  const { selection } = useLab();
  const move = (by: number): void => {
    if (trees > 0) selection.select({ prompt: (selected + by + trees) % trees });
  };
  useKeys([
    { key: 'ArrowLeft', of: 'prompts', label: 'prompt before', run: () => move(-1) },
    { key: 'ArrowRight', of: 'prompts', label: 'prompt after', run: () => move(1) },
    { key: 's', of: 'settings', label: 'settings', run: () => setSettings((open) => !open) },
  ]);
  return (
    <div className="train" data-settings={open}>
      <div className="train-top">
        <TransportBar />
        <Hidable name="updates">
          <Scrubber />
        </Hidable>
        <Alarms />
      </div>
      {isImported ? (
        <LazyPart name="The account of the file" load={loadThisFile} props={{}} />
      ) : sentences.length > 0 ? (
        <Missing view="train" />
      ) : (
        <CurvesOrStory />
      )}
      <div className="train-run">
        <BatchStrip onPreview={setPreview} />
        <Answer prompt={preview ?? selected} />
        <div className="config">
          <ConfigLine />
          <Hidable name="settings">
            <button
              type="button"
              className="small"
              aria-expanded={settings}
              aria-keyshortcuts="s"
              onClick={() => setSettings(!settings)}
            >
              Settings
            </button>
          </Hidable>
          <QuestionsButton />
        </div>
      </div>
      {open && <Knobs onClose={() => setSettings(false)} />}
    </div>
  );
}
