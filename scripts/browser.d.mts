export function findBrowser(): string | undefined;
export function installBrowser(): string | undefined;
export const SOFTWARE_ADAPTER: string;
export function browserFlags(adapter?: readonly string[]): string[];
