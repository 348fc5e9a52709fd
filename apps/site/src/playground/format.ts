import type { Texts } from "../text/texts.js";

export function numberText(value: number, { language }: Texts, digits = 0): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}

/** In units of 1000, as browsers and shops count: 253 MB. */
export function bytesText(bytes: number, texts: Texts): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${numberText(value, texts, value < 10 && power > 1 ? 1 : 0)} ${units[power]}`;
}

export function secondsText(seconds: number, { language }: Texts): string {
  const isLong = seconds >= 90;
  const unit = isLong ? "minute" : "second";
  const value = isLong ? seconds / 60 : seconds;
  return new Intl.NumberFormat(language, { style: "unit", unit, maximumFractionDigits: 0 }).format(value);
}

export function percentText(share: number, { language }: Texts): string {
  return new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: share < 0.1 ? 2 : 1 }).format(
    share,
  );
}
