/** Light, dark or the system's choice; remembered, written to `<html data-theme>`. */
import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';

export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeChoice = (typeof THEMES)[number];

const KEY = 'turnwise-theme';
const darkQuery = (): MediaQueryList => matchMedia('(prefers-color-scheme: dark)');

function remembered(): ThemeChoice {
  try {
    const stored = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === stored) ?? 'system';
  } catch {
    return 'system'; // storage is blocked: the choice lasts as long as the page
  }
}

function remember(choice: ThemeChoice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // as above
  }
}

export function applyTheme(choice: ThemeChoice): void {
  const dark = choice === 'dark' || (choice === 'system' && darkQuery().matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
}

/** @returns the choice and a function that moves to the next one */
export function useTheme(): readonly [ThemeChoice, () => void] {
  const [choice, setChoice] = useState(remembered);
  useEffect(() => {
    applyTheme(choice);
    remember(choice);
    const query = darkQuery();
    const follow = (): void => applyTheme(choice);
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, [choice]);
  const next = useCallback(() => setChoice((old) => THEMES[(THEMES.indexOf(old) + 1) % THEMES.length]), []);
  return [choice, next];
}

/** Where no header offers a choice, as in the presenter, a frame and the second window: the one that is remembered. */
export function useRememberedTheme(): void {
  useEffect(() => {
    const follow = (): void => applyTheme(remembered());
    if (document.documentElement.dataset.theme === undefined) follow();
    const query = darkQuery();
    query.addEventListener('change', follow);
    return () => query.removeEventListener('change', follow);
  }, []);
}

const subscribeTheme = (changed: () => void): (() => void) => {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
  return () => observer.disconnect();
};

/** The theme on screen, for what cannot read CSS variables by itself (canvas). */
export const useShownTheme = (): string =>
  useSyncExternalStore(subscribeTheme, () => document.documentElement.dataset.theme ?? 'light');
