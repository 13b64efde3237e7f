export function leftIn(folder: string, name: string, options: readonly string[]): string;
