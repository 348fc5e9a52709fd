export function removeFolder(path: string): Promise<void>;
