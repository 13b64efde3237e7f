/** The shell: header, errors, the selected view, and the keys that work everywhere. */
import { useState, type ComponentType, type MouseEvent } from 'react';
import type { Lab } from '../../store/lab/lab.ts';
import type { View } from '../../store/place/selection.ts';
import { runWords, type RunName } from '../../store/record/run_name.ts';
import { LabProvider, useArrival, useIsHidden, useLab, useRun, useSelection, useStage } from '../parts/binding.ts'; // prettier-ignore
import { Boundary, LazyPart } from '../parts/Boundary.tsx';
import { Hidable } from '../parts/parts.tsx';
import { LabelNote, TermList } from '../parts/Term.tsx';
import { FrameBar } from './FrameBar.tsx';
import { Header } from './Header.tsx';
import { KeyHelp, KeyProvider, useKeys, useUpdateKeys, type KeyBinding } from './keys.tsx';
import {
  AddressNotice,
  DetailNotice,
  EditedNotice,
  EngineNotice,
  ErrorBanner,
  HiddenNotice,
  LifeNotice,
} from './Notices.tsx';
import { DropZone, FileNotice } from '../runs/Files.tsx';
import { AdapterNotice } from '../profile/Adapter.tsx';
import { FollowedNotice, ReturnedNotice, TroubleNotice } from '../runs/KeptNotices.tsx';
import { ExampleDock, LessonDock } from '../lessons/LessonDock.tsx';
import { HiddenView, QuestionsDock, TaughtNotice } from '../teach/TaughtNotice.tsx';
import { NewVersionNotice } from './NewVersion.tsx';
import { usePlaybackKeys } from '../train/TransportBar.tsx';
import { VIEW_LIST, VIEW_PANELS } from './views.tsx';
import './tokens.css';
import './base.css';
import './shell.css';
import '../train/train.css';
import '../parts/transcript.css';
import '../parts/parts.css';
import '../tree/tree.css';
import '../tree/hand.css';
import '../credit/credit.css';
import '../loss/loss.css';
import '../profile/profile.css';
import '../train/methods.css';
import '../compare/compare.css';
import '../parts/inspection.css';
import '../runs/runs.css';

/** A way out of a view that cannot be shown. */
function OtherView({ view }: { readonly view: View }) {
  const { selection } = useLab();
  const other = view === 'train' ? 'tree' : 'train';
  return (
    <button type="button" onClick={() => selection.select({ view: other })}>
      Show the {VIEW_PANELS[other].title} view
    </button>
  );
}

/** Another run's numbers do not stand at its address. */
const Opening = ({ run }: { readonly run: RunName }) => (
  <p className="empty" role="status">
    Opening {runWords(run)} …
  </p>
);

function CurrentView() {
  const view = useSelection((selection) => selection.view);
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  const date = useRun((run) => run.header?.date);
  const opening = useArrival((arrival) => arrival.opening);
  const isHidden = useIsHidden(view);
  const { title, component: View } = VIEW_PANELS[view];
  return (
    <main id="view" tabIndex={-1} aria-label={title}>
      <Boundary
        key={view}
        name={`The ${title} view`}
        resetKeys={[update, prompt, date]}
        ways={<OtherView view={view} />}
      >
        {isHidden ? <HiddenView view={view} /> : opening ? <Opening run={opening} /> : <View />}
      </Boundary>
    </main>
  );
}

/** Says what changed once per update, for those who do not see it move. */
function SpokenProgress() {
  const text = useRun((run) => {
    const done = run.updates.findLast((update) => update.metrics);
    if (!done?.metrics) return '';
    return `Update ${done.update} done, exact match ${Math.round(done.metrics.exactMatch * 100)} %.`;
  });
  return (
    <p className="visually-hidden" role="status">
      {text}
    </p>
  );
}

/** Each within a boundary of its own. */
interface NoticePart {
  readonly name: string;
  readonly Notice: ComponentType;
  readonly inFrame?: true; // about what is shown, so that a frame in another page says it too
}

const NOTICES: readonly NoticePart[] = [
  { name: 'The notice about the engine', Notice: EngineNotice },
  { name: 'The notice about a silent engine', Notice: LifeNotice, inFrame: true },
  { name: 'The notice about a run that went on', Notice: ReturnedNotice },
  { name: 'The notice about the adapter', Notice: AdapterNotice },
  { name: 'The notice about keeping', Notice: TroubleNotice },
  { name: 'The notice about another tab', Notice: FollowedNotice },
  { name: 'The notice about a file', Notice: FileNotice },
  { name: 'The error', Notice: ErrorBanner, inFrame: true },
  { name: 'The notice about the address', Notice: AddressNotice, inFrame: true },
  { name: 'The notice about what is hidden', Notice: TaughtNotice, inFrame: true },
  { name: 'The notice about old updates', Notice: DetailNotice, inFrame: true },
  { name: 'The notice about the edited kernel', Notice: EditedNotice, inFrame: true },
  { name: 'The notice about a hidden page', Notice: HiddenNotice },
  { name: 'The notice about a new version', Notice: NewVersionNotice },
  { name: 'The progress in words', Notice: SpokenProgress, inFrame: true },
];

const loadPresenter = () => import('../present/Presenter.tsx');

/** Focus only: the hash holds the selection. */
function skipToView(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('view')?.focus();
}

function Shell({ isFrame }: { readonly isFrame: boolean }) {
  const [help, setHelp] = useState(false);
  const [terms, setTerms] = useState(false);
  const { selection, stage } = useLab();
  const views = VIEW_LIST.map((view, index): KeyBinding => ({
    key: String(index + 1),
    of: view,
    label: `${VIEW_PANELS[view].title} view`,
    run: () => selection.select({ view }),
  }));
  const presented = useStage((stage) => stage.presented);
  useKeys([
    ...views,
    { key: 'P', label: 'presenter', run: () => stage.present(!stage.getState().presented) },
    ...useUpdateKeys(),
    ...usePlaybackKeys(),
    { key: 'w', label: 'what the terms on screen mean', run: () => setTerms(true) },
    { key: '?', label: 'this list', run: () => setHelp(true) },
  ]);
  if (presented)
    return (
      <Boundary name="The presenter">
        <LazyPart name="The presenter" load={loadPresenter} props={{}} />
        {help && <KeyHelp onClose={() => setHelp(false)} />}
      </Boundary>
    );
  return (
    <>
      {!isFrame && (
        <a className="skip-link" href="#view" onClick={skipToView}>
          Skip to the view
        </a>
      )}
      {!isFrame && (
        <Boundary name="The header">
          <Header onHelp={() => setHelp(true)} />
        </Boundary>
      )}
      {NOTICES.filter(({ inFrame }) => inFrame || !isFrame).map(({ name, Notice }) => (
        <Boundary key={name} name={name}>
          <Notice />
        </Boundary>
      ))}
      <Boundary name="The editor of the example">
        <ExampleDock />
      </Boundary>
      <CurrentView />
      <Boundary name="The questions">
        <QuestionsDock />
      </Boundary>
      <Boundary name="The lesson">
        <LessonDock />
      </Boundary>
      {isFrame ? (
        <FrameBar />
      ) : (
        <Hidable name="files">
          <DropZone />
        </Hidable>
      )}
      {help && (
        <Boundary name="The list of keys">
          <KeyHelp
            onClose={() => setHelp(false)}
            onTerms={() => {
              setHelp(false);
              setTerms(true);
            }}
          />
        </Boundary>
      )}
      <Boundary name="The glossary">
        <LabelNote />
        {terms && <TermList onClose={() => setTerms(false)} />}
      </Boundary>
    </>
  );
}

interface AppProps {
  readonly lab: Lab;
  readonly isFrame?: boolean; // in another page: `?embed`
}

export function App({ lab, isFrame = false }: AppProps) {
  return (
    <LabProvider value={lab}>
      <KeyProvider>
        <Shell isFrame={isFrame} />
      </KeyProvider>
    </LabProvider>
  );
}
