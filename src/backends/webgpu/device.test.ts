import { describe, expect, test } from "vitest";
import { useSwiftShader } from "../../../test/helpers/swiftshader.js";
import type { Tensor } from "../../backend/tensor.js";
import { storedFloats } from "../../backend/testing/stored-weight.js";
import { createWebgpu, webgpuBackend } from "./index.js";

useSwiftShader();
const available = await webgpuBackend.available();
if (available !== true) console.warn(`SKIPPED: tests of WebGPU devices: ${available}`);

describe.skipIf(available !== true)("webgpu device", () => {
  test("what it is, and what it does not have", async () => {
    const { backend } = await createWebgpu({ isa: "f32" });
    expect(backend.info()).toEqual({ name: "webgpu", isa: "f32", threads: 1, activations: "f32" });
    expect(() => backend.scale({} as Tensor, {} as Tensor, 1)).toThrow("webgpu: scale has no kernel here");
    backend.dispose();
    await expect(createWebgpu({ isa: "avx2" })).rejects.toThrow("isa must be one that this device has, got avx2");
  });

  test("any number of operations is one submit, in order", async () => {
    const { backend, gpu } = await createWebgpu();
    const x = backend.tensor("f32", [2, 40]);
    backend.write(x, new Float32Array(80).fill(1));
    const before = gpu.submits;
    for (let i = 0; i < 10; i++) backend.add(x, x, x);
    expect(await backend.read(x)).toEqual(new Float32Array(80).fill(1024));
    expect(gpu.submits - before).toBe(1);
    backend.add(x, x, x);
    backend.write(x, Float32Array.of(7)); // behind what was enqueued
    expect((await backend.read(x)).slice(0, 2)).toEqual(Float32Array.of(7, 2048));
    backend.dispose();
  });

  test("memory grows with its contents, and what is used again is zero", async () => {
    const { backend } = await createWebgpu();
    const small = backend.tensor("f32", [100]);
    backend.write(small, new Float32Array(100).fill(3));
    const large = backend.tensor("f32", [6 << 20]); // more than there is at first
    expect(await backend.read(small)).toEqual(new Float32Array(100).fill(3));
    backend.free(small);
    const again = backend.tensor("f32", [100]);
    expect(await backend.read(again)).toEqual(new Float32Array(100));
    expect(() => backend.add(small, small, small)).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
    backend.free(large);
    backend.dispose();
    expect(() => backend.tensor("f32", [1])).toThrow(expect.objectContaining({ code: "ERR_DISPOSED" }));
  });

  test("what does not fit is said with its size", async () => {
    const { backend } = await createWebgpu({ mostBytes: 32 << 20 });
    expect(() => backend.tensor("f32", [9 << 20])).toThrow(
      "webgpu: activations must fit into a buffer of 32 MB, got 36 MB beside 0 MB in use",
    );
    const layout = { dtype: "f32", kvHeads: 1, headDim: 256, layerGroups: [0], groupPages: [4096] } as const;
    expect(() => backend.kvCache(layout)).toThrow("keys of layer 0 must fit into a buffer of 32 MB, got 64 MB");
    const read = () => new Uint8Array(0);
    const wide = { name: "w", dtype: "F32", shape: [1, 1 << 20], read } as const;
    expect(() => backend.weight(wide)).toThrow("32 rows of w must fit into a buffer of 32 MB, got 128 MB");
    const short = { name: "w", dtype: "F32", shape: [4, 8], read } as const;
    expect(() => backend.weight(short)).toThrow(expect.objectContaining({ code: "ERR_TRUNCATED" }));
    backend.dispose();
  });

  test("a lost device is an error of its own, at once and later", async () => {
    const { backend, gpu } = await createWebgpu();
    const x = backend.tensor("f32", [8]);
    backend.add(backend.view(x, [1, 8]), backend.view(x, [1, 8]), backend.view(x, [1, 8]));
    gpu.device.destroy();
    const lost = { code: "ERR_DEVICE_LOST", hint: "load the model again" };
    await expect(backend.read(x)).rejects.toMatchObject(lost);
    expect(() => backend.tensor("f32", [8])).toThrow(expect.objectContaining(lost));
    backend.dispose();
    const next = (await createWebgpu()).backend; // a device anew
    expect(await next.read(next.tensor("f32", [2]))).toEqual(new Float32Array(2));
    next.dispose();
  });

  test("an error of the device never passes silently", async () => {
    const { backend, gpu } = await createWebgpu();
    gpu.device.createBuffer({ size: 16, usage: 0xffff }); // no such usage
    const next = async () => backend.read(backend.tensor("f32", [8])); // Dawn tells at once, a browser a moment later
    await expect(next()).rejects.toMatchObject({ code: "ERR_BACKEND" });
    backend.dispose();
  });

  test("handles of another backend are refused", async () => {
    const [one, other] = await Promise.all([createWebgpu(), createWebgpu()]);
    const x = one.backend.tensor("f32", [1, 8]);
    const weight = one.backend.weight(storedFloats([4, 8], new Float32Array(32)));
    await one.backend.packed(weight);
    expect(() => other.backend.add(x, x, x)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
    expect(() => other.backend.matmul(x, x, weight)).toThrow(expect.objectContaining({ code: "ERR_BACKEND" }));
    for (const { backend } of [one, other]) backend.dispose();
  });
});
