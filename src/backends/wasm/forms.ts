import { BLOCK_SIZES, type StoredDtype } from "../../base/dtype.js";
import {
  DENSE_BF16,
  DENSE_F16,
  DENSE_F32,
  PANEL_ROWS,
  SCALES_F16,
  SCALES_F32,
  SCALES_TWO_I8,
  SCALES_TWO_U8,
} from "./layout.js";

/** How a type is packed; kernels/scales.ts describes the layout. */
export interface Form {
  /** Of a quant, 4, 7 or 8; 0: dense. */
  readonly bits: number;
  /** Columns that share a scale; dense: bytes of an element. */
  readonly group: number;
  readonly scaleKind: number;
  readonly hasMin: boolean;
  readonly offset: number;
}

const dense = (bytes: number, scaleKind: number): Form => ({
  bits: 0,
  group: bytes,
  scaleKind,
  hasMin: false,
  offset: 0,
});
const form = (bits: number, group: number, scaleKind: number, hasMin: boolean, offset: number): Form => ({
  bits,
  group,
  scaleKind,
  hasMin,
  offset,
});

export const FORMS: Readonly<Record<StoredDtype, Form>> = {
  F32: dense(4, DENSE_F32),
  F16: dense(2, DENSE_F16),
  BF16: dense(2, DENSE_BF16),
  Q4_0: form(4, 32, SCALES_F16, false, 8),
  Q4_1: form(4, 32, SCALES_F16, true, 0),
  Q5_0: form(7, 32, SCALES_F16, false, 16),
  Q5_1: form(7, 32, SCALES_F16, true, 0),
  Q8_0: form(8, 32, SCALES_F16, false, 128),
  Q2_K: form(4, 16, SCALES_TWO_U8, true, 0),
  Q3_K: form(4, 16, SCALES_TWO_I8, false, 4),
  Q4_K: form(4, 32, SCALES_TWO_U8, true, 0),
  Q5_K: form(7, 32, SCALES_TWO_U8, true, 0),
  Q6_K: form(7, 16, SCALES_TWO_I8, false, 32),
  IQ4_NL: form(8, 32, SCALES_F16, false, 128),
  IQ4_XS: form(8, 32, SCALES_TWO_I8, false, 128),
  MXFP4: form(8, 32, SCALES_F32, false, 128),
};

/** Of a unit's quants: 32 columns. Split: of their upper halves. */
export function quantBytes({ bits }: Form, isSplit: boolean): number {
  return PANEL_ROWS * (bits === 4 || isSplit ? 16 : 32);
}

/** Of a unit: quants and what stands behind them. */
export function unitBytes(f: Form, isSplit: boolean): number {
  const { group, scaleKind, hasMin } = f;
  const scales = isTwoLevel(scaleKind) ? 32 / group : scaleKind === SCALES_F32 ? 4 : 2; // bytes a row
  return quantBytes(f, isSplit) + PANEL_ROWS * (hasMin ? 2 : 1) * scales;
}

/** What stands before each 256 columns. */
export function headBytes({ scaleKind, hasMin }: Form): number {
  return isTwoLevel(scaleKind) ? PANEL_ROWS * (hasMin ? 4 : 2) : 0;
}

/** Distance of two panels. A split one ends with the norms of its rows. */
export function panelBytes(f: Form, columns: number, isSplit: boolean): number {
  if (f.bits === 0) return columns * PANEL_ROWS * f.group;
  const norms = isSplit ? 4 * PANEL_ROWS : 0;
  return (columns / 32) * unitBytes(f, isSplit) + (columns / 256) * headBytes(f) + norms;
}

/** Of the lower halves of a split panel. */
export function lowBytes(columns: number): number {
  return (PANEL_ROWS * columns) / 2;
}

/** About what weights of a type take that are stored in so many bytes: 5- and 6-bit quants lie as bytes. */
export function wasmBytes(dtype: StoredDtype, storedBytes: number): number {
  const { elements, bytes } = BLOCK_SIZES[dtype];
  const columns = 256;
  return (storedBytes * panelBytes(FORMS[dtype], columns, false)) / ((PANEL_ROWS * columns * bytes) / elements);
}

function isTwoLevel(scaleKind: number): boolean {
  return scaleKind === SCALES_TWO_U8 || scaleKind === SCALES_TWO_I8;
}
