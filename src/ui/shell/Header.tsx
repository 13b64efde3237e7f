/** Name, the views, what is on screen, theme and keyboard help. */
import type { View } from '../../store/selection.ts';
import { useLab, useSelection } from '../binding.ts';
import { useAlarms } from '../train/Alarms.tsx';
import { VIEW_LIST, VIEW_PANELS } from '../views.tsx';
import { EditedBadge } from './EditedKernel.tsx';
import { SourceBadge } from './SourceBadge.tsx';
import { useTheme } from './theme.ts';

/** Alarms stand in Train; the other views say that there are some. */
function AlarmCount() {
  const { length } = useAlarms();
  if (length === 0) return null;
  return (
    <span className="alarm-count number">
      <span aria-hidden="true">▲</span> {length}
      <span className="visually-hidden"> {length === 1 ? 'alarm' : 'alarms'}</span>
    </span>
  );
}

function ViewTab({ view, index }: { readonly view: View; readonly index: number }) {
  const current = useSelection((selection) => selection.view) === view;
  const { selection } = useLab();
  return (
    <button
      type="button"
      className="tab"
      aria-current={current ? 'page' : undefined}
      aria-keyshortcuts={String(index + 1)}
      onClick={() => selection.select({ view })}
    >
      <span className="key" aria-hidden="true">
        {index + 1}
      </span>
      {VIEW_PANELS[view].title}
      {view === 'train' && <AlarmCount />}
    </button>
  );
}

export function Header({ onHelp }: { readonly onHelp: () => void }) {
  const [theme, nextTheme] = useTheme();
  return (
    <header className="header">
      <h1>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <path
            d="M4 16H11M11 16V7H18M11 16V25H18M18 7H25"
            fill="none"
            stroke="currentColor"
            strokeWidth="2.4"
          />
          <path d="M25 2.5L30 11H20Z" fill="var(--correct)" />
          <circle cx="23" cy="25" r="4" fill="none" stroke="currentColor" strokeWidth="2.4" />
        </svg>
        Turnwise
      </h1>
      <nav aria-label="Views">
        {VIEW_LIST.map((view, index) => (
          <ViewTab key={view} view={view} index={index} />
        ))}
      </nav>
      <div className="header-end">
        <EditedBadge />
        <SourceBadge />
        <button type="button" className="quiet small" onClick={nextTheme} title="Change the theme">
          Theme: {theme}
        </button>
        <button type="button" className="quiet small" onClick={onHelp} aria-keyshortcuts="?">
          Keys <kbd>?</kbd>
        </button>
      </div>
    </header>
  );
}
