/** The shell: header, errors, the selected view, and the keys that work everywhere. */
import { useState, type MouseEvent } from 'react';
import type { Lab } from '../store/lab.ts';
import { LabProvider, useLab, useRun, useSelection } from './binding.ts';
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

function CurrentView() {
  const view = useSelection((selection) => selection.view);
  const View = VIEW_PANELS[view].component;
  return (
    <main id="view" tabIndex={-1} aria-label={VIEW_PANELS[view].title}>
      <View />
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
      <Header onHelp={() => setHelp(true)} />
      <EngineNotice />
      <LifeNotice />
      <ErrorBanner />
      <AddressNotice />
      <DetailNotice />
      <EditedNotice />
      <HiddenNotice />
      <CurrentView />
      <SpokenProgress />
      {help && <KeyHelp onClose={() => setHelp(false)} />}
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
