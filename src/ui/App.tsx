/** The shell: header, errors, the selected view, and the keys that work everywhere. */
import { useState, type ComponentType, type MouseEvent } from 'react';
import type { Lab } from '../store/lab.ts';
import type { View } from '../store/selection.ts';
import { LabProvider, useLab, useRun, useSelection } from './binding.ts';
import { Boundary } from './Boundary.tsx';
import { AddressNotice } from './shell/AddressNotice.tsx';
import { DetailNotice } from './shell/DetailNotice.tsx';
import { HiddenNotice } from './shell/HiddenNotice.tsx';
import { EditedNotice } from './shell/EditedKernel.tsx';
import { EngineNotice } from './shell/EngineNotice.tsx';
import { ErrorBanner } from './shell/ErrorBanner.tsx';
import { Header } from './shell/Header.tsx';
import { KeyHelp } from './shell/KeyHelp.tsx';
import { LifeNotice } from './shell/LifeNotice.tsx';
import { KeyProvider, useKeys, type KeyBinding } from './shell/keys.tsx';
import { useUpdateKeys } from './shell/update_keys.ts';
import { VIEW_LIST, VIEW_PANELS } from './views.tsx';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/train.css';
import './styles/transcript.css';
import './styles/views.css';
import './styles/tree.css';
import './styles/credit.css';
import './styles/loss.css';
import './styles/profile.css';
import './styles/methods.css';
import './styles/compare.css';
import './styles/inspection.css';

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

function CurrentView() {
  const view = useSelection((selection) => selection.view);
  const update = useSelection((selection) => selection.update);
  const prompt = useSelection((selection) => selection.prompt);
  const date = useRun((run) => run.header?.date);
  const { title, component: View } = VIEW_PANELS[view];
  return (
    <main id="view" tabIndex={-1} aria-label={title}>
      <Boundary
        key={view}
        name={`The ${title} view`}
        resetKeys={[update, prompt, date]}
        ways={<OtherView view={view} />}
      >
        <View />
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
const NOTICES: readonly { readonly name: string; readonly Notice: ComponentType }[] = [
  { name: 'The notice about the engine', Notice: EngineNotice },
  { name: 'The notice about a silent engine', Notice: LifeNotice },
  { name: 'The error', Notice: ErrorBanner },
  { name: 'The notice about the address', Notice: AddressNotice },
  { name: 'The notice about old updates', Notice: DetailNotice },
  { name: 'The notice about the edited kernel', Notice: EditedNotice },
  { name: 'The notice about a hidden page', Notice: HiddenNotice },
  { name: 'The progress in words', Notice: SpokenProgress },
];

/** Focus only: the hash holds the selection. */
function skipToView(event: MouseEvent): void {
  event.preventDefault();
  document.getElementById('view')?.focus();
}

function Shell() {
  const [help, setHelp] = useState(false);
  const { selection } = useLab();
  const views = VIEW_LIST.map((view, index): KeyBinding => ({
    key: String(index + 1),
    label: `${VIEW_PANELS[view].title} view`,
    run: () => selection.select({ view }),
  }));
  useKeys([...views, ...useUpdateKeys(), { key: '?', label: 'this list', run: () => setHelp(true) }]);
  return (
    <>
      <a className="skip-link" href="#view" onClick={skipToView}>
        Skip to the view
      </a>
      <Boundary name="The header">
        <Header onHelp={() => setHelp(true)} />
      </Boundary>
      {NOTICES.map(({ name, Notice }) => (
        <Boundary key={name} name={name}>
          <Notice />
        </Boundary>
      ))}
      <CurrentView />
      {help && (
        <Boundary name="The list of keys">
          <KeyHelp onClose={() => setHelp(false)} />
        </Boundary>
      )}
    </>
  );
}

export function App({ lab }: { readonly lab: Lab }) {
  return (
    <LabProvider value={lab}>
      <KeyProvider>
        <Shell />
      </KeyProvider>
    </LabProvider>
  );
}
