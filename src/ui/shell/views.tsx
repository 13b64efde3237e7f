/** The views, one line each. */
import type { ComponentType } from 'react';
import { VIEWS, type View } from '../../store/place/selection.ts';
import { CompareView } from '../compare/CompareView.tsx';
import { CreditView } from '../credit/CreditView.tsx';
import { ExperimentsView } from '../experiments/ExperimentsView.tsx';
import { LossView } from '../loss/LossView.tsx';
import { ProfileView } from '../profile/ProfileView.tsx';
import { RunsView } from '../runs/RunsView.tsx';
import { TrainView } from '../train/TrainView.tsx';
import { TreeView } from '../tree/TreeView.tsx';

interface ViewPanel {
  readonly title: string;
  readonly component: ComponentType;
}

export const VIEW_PANELS = {
  train: { title: 'Train', component: TrainView },
  tree: { title: 'Tree', component: TreeView },
  credit: { title: 'Credit', component: CreditView },
  loss: { title: 'Loss', component: LossView },
  compare: { title: 'Compare', component: CompareView },
  profile: { title: 'Profile', component: ProfileView },
  runs: { title: 'Runs', component: RunsView },
  experiments: { title: 'Experiments', component: ExperimentsView },
} satisfies Record<View, ViewPanel>;

export const VIEW_LIST: readonly View[] = VIEWS;
