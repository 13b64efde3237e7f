/** The four views, one line each. */
import type { ComponentType } from 'react';
import { VIEWS, type View } from '../store/selection.ts';
import { TrainView } from './train/TrainView.tsx';

interface ViewPanel {
  readonly title: string;
  readonly component: ComponentType;
}

const NotBuilt = () => <p className="empty">This view is being built.</p>;

export const VIEW_PANELS = {
  train: { title: 'Train', component: TrainView },
  tree: { title: 'Tree', component: NotBuilt },
  credit: { title: 'Credit', component: NotBuilt },
  loss: { title: 'Loss', component: NotBuilt },
} satisfies Record<View, ViewPanel>;

export const VIEW_LIST: readonly View[] = VIEWS;
