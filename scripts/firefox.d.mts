export function findFirefox():
  | { readonly path: string; readonly version: string; readonly lack?: undefined }
  | { readonly path?: undefined; readonly lack: string };
export const WANTED: string;
export interface FirefoxTab {
  goto(url: string): Promise<unknown>;
  evaluate<Value, Said>(work: (value: Value) => Said | Promise<Said>, value?: Value): Promise<Said>;
  press(...keys: readonly string[]): Promise<void>;
}
export function openFirefox(): Promise<{
  readonly tab: FirefoxTab;
  readonly complaints: readonly string[];
  close(): Promise<void>;
}>;
