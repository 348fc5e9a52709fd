import type { Plugin } from "vite";

export function wgslModule(path: string): string;
export function wgslPlugin(): Plugin;
