/** One view on a projector. Nothing moves but by the lecturer: the run is held, and what follows the newest update stays. */
import { useLayoutEffect, type ComponentType } from 'react';
import { useStore } from 'zustand';
import type { View } from '../../store/place/selection.ts';
import { CONTROLS } from '../../store/place/stage.ts';
import { HiddenView } from '../teach/TaughtNotice.tsx';
import { useIsHidden, useLab, useSelection, useIsPlaying } from '../parts/binding.ts';
import { CompareScene, CreditScene } from './credit_scene.tsx';
import { LessonSlide } from './LessonSlide.tsx';
import { LossScene } from './loss_scene.tsx';
import { nothingYet, TrainScene, TreeScene, type SceneProps } from './scene.tsx';
import { Slide } from './Slide.tsx';
import { useRememberedTheme } from '../shell/theme.ts';
import './present.css';

/** Profile, Runs and Experiments are for the desk: in their place the run is presented. */
const SCENES: Readonly<Record<View, ComponentType<SceneProps>>> = {
  train: TrainScene,
  tree: TreeScene,
  credit: CreditScene,
  loss: LossScene,
  compare: CompareScene,
  profile: TrainScene,
  runs: TrainScene,
  experiments: TrainScene,
};

/** Holds what moves by itself, once, before the slide is on screen. */
function useHold(): void {
  const { transport, selection, run } = useLab();
  const isPlaying = useIsPlaying();
  useLayoutEffect(() => {
    if (isPlaying) transport.pause();
    const { updates } = run.getState();
    if (selection.getState().update === null && updates.length > 0)
      selection.setState({ update: updates.length }); // the one on screen: turn and step in it stay
    // eslint-disable-next-line react-hooks/exhaustive-deps -- of the moment it opens: afterwards the lecturer moves it
  }, []);
}

export default function Presenter() {
  useHold();
  useRememberedTheme();
  const { lessons } = useLab();
  const view = useSelection((selection) => selection.view);
  const lesson = useStore(lessons, (state) => state.lesson);
  const isHidden = useIsHidden(view);
  if (isHidden) {
    const scene = nothingYet(CONTROLS[view].words);
    const why = <HiddenView view={view} />;
    return lesson ? (
      <LessonSlide lesson={lesson} scene={{ ...scene, figure: why }} />
    ) : (
      <Slide {...scene} says={why} />
    );
  }
  const SceneOf = SCENES[view];
  return (
    <SceneOf key={view}>
      {(scene) => (lesson ? <LessonSlide lesson={lesson} scene={scene} /> : <Slide {...scene} />)}
    </SceneOf>
  );
}
