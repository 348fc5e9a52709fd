import { SHA256_WASM } from "./sha256-wasm.js";

// Browsers digest only what is whole in memory; a download is hashed while it streams.

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const K = Int32Array.from(firstPrimes(64), (prime) => fraction(Math.cbrt(prime)));

const BLOCK = 64;
const QUICK_FROM = 4096; // bytes

/** SHA-256 of bytes that come in pieces. */
export class Sha256 {
  private readonly state = Int32Array.from(firstPrimes(8), (prime) => fraction(Math.sqrt(prime)));
  private readonly words = new Int32Array(64);
  private readonly tail = new Uint8Array(BLOCK);
  private tailBytes = 0;
  private totalBytes = 0;

  update(bytes: Uint8Array): this {
    this.totalBytes += bytes.length;
    let at = 0;
    if (this.tailBytes > 0) {
      at = Math.min(BLOCK - this.tailBytes, bytes.length);
      this.tail.set(bytes.subarray(0, at), this.tailBytes);
      this.tailBytes += at;
      if (this.tailBytes < BLOCK) return this;
      this.block(this.tail, 0);
      this.tailBytes = 0;
    }
    const end = bytes.length - ((bytes.length - at) % BLOCK);
    if (end - at >= QUICK_FROM) at += quickly(this.state, bytes.subarray(at, end));
    for (; at < end; at += BLOCK) this.block(bytes, at);
    this.tail.set(bytes.subarray(at));
    this.tailBytes = bytes.length - at;
    return this;
  }

  /** 64 lower-case hex digits. Nothing can follow. */
  hex(): string {
    const bits = this.totalBytes * 8;
    const padding = new Uint8Array((this.tailBytes < 56 ? 56 : 120) - this.tailBytes + 8);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits >>> 0);
    this.update(padding);
    return Array.from(this.state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  private block(bytes: Uint8Array, at: number): void {
    const { state, words } = this;
    for (let i = 0; i < 16; i++, at += 4) {
      words[i] = (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    }
    for (let i = 16; i < 64; i++) {
      const x = words[i - 15]!;
      const y = words[i - 2]!;
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      words[i] = (words[i - 16]! + s0 + words[i - 7]! + s1) | 0;
    }
    let [a, b, c, d] = [state[0]!, state[1]!, state[2]!, state[3]!];
    let [e, f, g, h] = [state[4]!, state[5]!, state[6]!, state[7]!];
    for (let i = 0; i < 64; i++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + words[i]!) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    state[0]! += a;
    state[1]! += b;
    state[2]! += c;
    state[3]! += d;
    state[4]! += e;
    state[5]! += f;
    state[6]! += g;
    state[7]! += h;
  }
}

/** Takes as many blocks into a state as it can, and returns their bytes. */
type Compress = (state: Int32Array, blocks: Uint8Array) => number;

let compress: Compress | undefined;

/** Five times as fast as `block`, where WebAssembly with SIMD may run. */
function quickly(state: Int32Array, blocks: Uint8Array): number {
  compress ??= openKernel();
  return compress(state, blocks);
}

// Of the kernel's memory, in bytes; see its source.
const STATE_AT = 256;
const BLOCKS_AT = 2048;
const SLICE = 256 << 10;
const STEP = 4 * BLOCK;

function openKernel(): Compress {
  try {
    const binary = Uint8Array.from(atob(SHA256_WASM), (letter) => letter.charCodeAt(0));
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary));
    const kernel = exports as unknown as { memory: WebAssembly.Memory; compress(blocks: number): void };
    const memory = new Uint8Array(kernel.memory.buffer);
    const kernelState = new Int32Array(kernel.memory.buffer, STATE_AT, 8);
    new Int32Array(kernel.memory.buffer).set(K);
    return (state, blocks) => {
      const end = blocks.length - (blocks.length % STEP);
      kernelState.set(state);
      for (let at = 0; at < end; at += SLICE) {
        const slice = blocks.subarray(at, Math.min(end, at + SLICE));
        memory.set(slice, BLOCKS_AT);
        kernel.compress(slice.length / BLOCK);
      }
      state.set(kernelState);
      return end;
    };
  } catch {
    return () => 0; // no WebAssembly, no SIMD, or a page that forbids it
  }
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

/** The first 32 bits behind the point: roots of small primes have them exactly in a double. */
function fraction(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
}
