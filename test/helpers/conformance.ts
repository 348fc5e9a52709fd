import type { Backend } from "../../src/backend/backend.js";
import { type ConformanceCase, conformanceCases, runCase } from "../../src/backend/testing/conformance.js";
import { INVARIANCE_CASES, rowVariance } from "../../src/backend/testing/row-invariance.js";

// The conformance suite as one call, in Node and in a page: no test runner, no Node.

const SEED = 20_251;

export interface Selection {
  /** Largest product of a case's sizes. Default: any. */
  readonly mostWork?: number;
  readonly ops?: readonly string[];
  /** Why a case does not apply to this backend; null where it does. */
  readonly exempt?: (c: ConformanceCase) => string | null;
}

export interface Report {
  readonly ran: number;
  /** How many were left out, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
}

/** Every case that the selection has, against the reference. */
export async function conformanceReport(backend: Backend, oracle: Backend, selection: Selection): Promise<Report> {
  const { mostWork = Infinity, ops, exempt = () => null } = selection;
  const leftOut: Record<string, number> = {};
  const failures: string[] = [];
  let ran = 0;
  for (const c of conformanceCases(backend.lacks)) {
    if (ops && !ops.includes(c.op.name)) continue;
    const reason = exempt(c) ?? (workOf(c.data) > mostWork ? `sizes multiply to more than ${mostWork}` : null);
    if (reason !== null) {
      leftOut[reason] = (leftOut[reason] ?? 0) + 1;
      continue;
    }
    const { error, tolerance, where } = await runCase(c, backend, oracle, SEED);
    ran += 1;
    if (!(error <= tolerance)) failures.push(`error ${error} beyond ${tolerance}: ${where}`);
  }
  return { ran, leftOut, failures };
}

/** Whether rows have the same bits in every batch: those of the cases that `wanted` names. */
export async function invarianceReport(backend: Backend, wanted: (name: string) => boolean): Promise<Report> {
  const chosen = INVARIANCE_CASES.filter(({ name }) => wanted(name));
  const failures: string[] = [];
  for (const c of chosen) {
    const difference = await rowVariance(c, [backend], SEED);
    if (difference !== null) failures.push(difference);
  }
  const leftOut = INVARIANCE_CASES.length - chosen.length;
  return { ran: chosen.length, leftOut: leftOut === 0 ? {} : { "a longer command has them": leftOut }, failures };
}

/** The product of the sizes in a case, which its capital letters are, and of the rows that it samples. */
function workOf(data: unknown): number {
  const {
    rows = [],
    settings = [],
    draws = 1,
  } = data as {
    rows?: readonly unknown[];
    settings?: readonly unknown[];
    draws?: number;
  };
  const sampled = Math.max(1, rows.length) * Math.max(1, settings.length * draws);
  const sizes = Object.entries(data as object).filter(([key]) => /^[A-Z]$/.test(key));
  return sizes.reduce((product, [, size]) => product * size, sampled);
}

const QUICK_DTYPES = /^(F32|BF16|Q8_0|Q5_0|Q4_K|Q6_K)$/;

/**
 * What no WebGPU backend has to pass, and, where `isQuick`, what takes long to compile in software: a kernel for each
 * stored type.
 */
export function wgslExempt(isQuick: boolean): (c: ConformanceCase) => string | null {
  return ({ op, data }) => {
    const { fill, dtype } = data as { fill?: string; dtype?: string };
    if (op.name === "add" && fill === "denormal") return "WGSL lets denormals count as zero";
    const isRare = isQuick && op.name === "matmul" && !QUICK_DTYPES.test(dtype!);
    return isRare ? "products of rarer types (embed reads all of them)" : null;
  };
}

/** Ops whose kernels add or compare over lanes: what subgroups change. */
export const LANE_OPS = ["rmsNorm", "loraDelta", "writeKv", "attention"];
