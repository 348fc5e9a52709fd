// Low memory that JavaScript and the kernels share, and the numbers of kernels. This file is TypeScript and AssemblyScript.

/** u64: number of the job << 32 | next item. */
export const TICKET = 1024;
export const ITEMS = 1032; //    u32
export const GRAIN = 1036; //    u32, items that a thread takes at once
export const KERNEL = 1040; //   u32
export const DONE = 1088; //     u32, items that are computed
export const SLEEPERS = 1152; // u32, threads that wait for a job
export const QUIT = 1156; //     u32, not 0: threads end
export const FAILED = 1160; //   u32, not 0: a thread has trapped
export const MAY_WAIT = 1164; // u32, not 0: the first thread may block
export const NARROW = 1168; //   u32, not 0: products are summed up in 16 bits as far as they fit
export const ARGS = 1280; //     64 slots of 4 bytes
export const MAX_ARGS = 64;

/** Bytes of each thread's scratch. */
export const SCRATCH_BYTES = 262144;

export const PANEL_ROWS = 16; // output rows of a weight that lie together
export const ROW_BLOCK = 64; //  rows of x that meet a panel while it is unpacked

// A weight's descriptor: offsets of its fields, 4 bytes each.
export const W_PANELS = 0;
export const W_ROWS = 4; //        N
export const W_COLUMNS = 8; //     K
export const W_PANEL_BYTES = 12; //distance of two panels
export const W_BITS = 16; //       4, 7, 8 (signed); 0: dense
export const W_GROUP = 20; //      16 or 32 columns that share a scale; dense: bytes of an element
export const W_HAS_MIN = 24;
export const W_OFFSET = 28; //     value = (quant - offset) · scale + min
export const W_UNIT_BYTES = 32; // distance of two groups of 32 columns
export const W_HEAD_BYTES = 36; // what stands before each 256 columns
export const W_SCALE_KIND = 40;
export const W_DTYPE = 44;
export const W_IS_IRREGULAR = 48; //not 0: a scale is infinite or no number
export const W_QUANT_BYTES = 52; //of a unit
export const W_LOW = 56; //         the lower halves of 8-bit quants, where these lie apart; else 0
export const W_BYTES = 64;

// What a screen knows of a group of activations: floats.
export const S_UPPER = 0; //        factor of the upper halves' products
export const S_UPPER_CENTRE = 4;
export const S_REACH = 8; //        what the lower halves can do, by norm
export const S_LOWER = 12;
export const S_LOWER_CENTRE = 16;
export const S_DROP = 20; //        of the reach once the lower halves are known
export const S_BYTES = 24;

// What refine finds of a panel.
export const AT_ONCE = 0; //   below the threshold by the upper halves alone
export const BELOW = 1;
export const MAY_REACH = 2;

export const LEAST_NORM = 16; //    of lower halves; they have about 26, and 42 at most

// Kinds of scales; of dense weights: kinds of elements.
export const SCALES_F16 = 0;
export const SCALES_F32 = 1;
export const SCALES_TWO_U8 = 2;
export const SCALES_TWO_I8 = 3;
export const DENSE_F32 = 4;
export const DENSE_F16 = 5;
export const DENSE_BF16 = 6;

// Types on disk, in the order of base/dtype.ts.
export const F32 = 0;
export const F16 = 1;
export const BF16 = 2;
export const Q4_0 = 3;
export const Q4_1 = 4;
export const Q5_0 = 5;
export const Q5_1 = 6;
export const Q8_0 = 7;
export const Q2_K = 8;
export const Q3_K = 9;
export const Q4_K = 10;
export const Q5_K = 11;
export const Q6_K = 12;
export const IQ4_NL = 13;
export const IQ4_XS = 14;
export const MXFP4 = 15;

// Kernels.
export const K_ADD = 0;
export const K_GEGLU = 1;
export const K_SOFT_CAP = 2;
export const K_RMS_NORM = 3;
export const K_ROPE = 4;
export const K_GATHER_ROWS = 5;
export const K_EMBED = 6;
export const K_PACK = 7;
export const K_PREPARE_X = 8;
export const K_MATMUL = 9;
export const K_GATED_MATMUL = 10;
export const K_WRITE_KV = 11;
export const K_ATTENTION = 12;
export const K_MERGE_ATTENTION = 13;
export const K_BLOCK_MAXIMA = 14;
export const K_BLOCK_SUMS = 15;
export const K_PRODUCT = 16;
export const K_LORA_DELTA = 17;
export const K_SCATTER_ADD = 18;
export const K_RMS_FACTORS = 19;
export const K_RMS_WEIGHT_BACKWARD = 20;
export const K_RMS_BACKWARD = 21;
export const K_MATMUL_BACKWARD = 22;
export const K_ATTENTION_BACKWARD_QUERIES = 23;
export const K_ATTENTION_BACKWARD_KEYS = 24;
export const K_GEGLU_BACKWARD = 25;
export const K_LOGIT_SLOPES = 26;
export const K_DROPOUT = 27;
export const K_ADAM_W = 28;
export const K_SUM_SQUARES = 29;
export const K_SCALE = 30;
export const K_ROUND = 31;
export const K_SCREEN = 32;
export const K_REFINE = 33;
export const K_SOME_PANELS = 34;
