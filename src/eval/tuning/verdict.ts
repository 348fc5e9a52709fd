import type { ReportLine } from "./tuning-report.js";

/** Lines that fell by more than `points`; of "significant" ones, only what chance does not explain. */
export type FailOn = "any" | "significant";

/**
 * How much a line became better, in the unit that people compare: points of a share, or per cent of perplexity, which is
 * exp(nats a token). Negative: worse.
 */
export function gainOf({ unit, better, difference }: Pick<ReportLine, "unit" | "better" | "difference">): number {
  if (unit === "nats") return -100 * Math.expm1(difference);
  return 100 * (better === "higher" ? difference : -difference);
}

/** Lines other than the target's that became worse by more than `points`: of a share, or per cent of perplexity. */
export function regressions(lines: readonly ReportLine[], points: number, failOn: FailOn = "any"): ReportLine[] {
  return lines.filter((line) => {
    const isMeant = line.role !== "target" && (failOn === "any" || line.movement === "worse");
    return isMeant && gainOf(line) < -points - 1e-9;
  });
}

/** One sentence: the first target line with its interval, whatever else moved, and whether anything else did. */
export function verdictText(lines: readonly ReportLine[]): string {
  const target = lines.find(({ role }) => role === "target");
  const others = lines.filter(({ role }) => role !== "target");
  const moved = others.filter(({ movement }) => movement !== "same").sort((a, b) => gainOf(a) - gainOf(b));
  const parts = [
    ...(target === undefined ? [] : [targetText(target)]),
    ...moved.map((line) => `${line.title} ${changeText(line)} (significant)`),
  ];
  if (moved.length < others.length) parts.push(parts.length === 0 ? "nothing moved" : "nothing else moved");
  else if (others.length === 0) parts.push(`nothing ${parts.length === 0 ? "" : "else "}was measured`);
  return parts.join("; ");
}

function targetText(line: ReportLine): string {
  const half = (line.high - line.low) / 2;
  const margin = line.unit === "share" ? (100 * half).toFixed(1) : half.toFixed(2);
  const doubt = line.movement === "same" ? ", not significant" : "";
  return `target ${changeText(line)} (±${margin}${doubt})`;
}

/** "+12.4 points", "loss −0.42 nats a token", "perplexity +3.1 %". */
export function changeText(line: Pick<ReportLine, "role" | "unit" | "better" | "difference">): string {
  const { role, unit, difference } = line;
  if (unit === "share") return `${signed(100 * difference, 1)}${role === "target" ? " points" : ""}`;
  return role === "target"
    ? `loss ${signed(difference, 2)} nats a token`
    : `perplexity ${signed(100 * Math.expm1(difference), 1)} %`;
}

/** With a true minus sign; what rounds to zero has none. */
export function signed(value: number, digits: number): string {
  const text = Math.abs(value).toFixed(digits);
  if (Number(text) === 0) return text;
  return `${value < 0 ? "−" : "+"}${text}`;
}
