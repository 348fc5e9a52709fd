import { COMPUTE_STAGE } from "./device.js";
import { type BindKind, bindsOf, type KernelSpec, sourceOf, type Units } from "./shaders.js";

/** A compiled variant. */
export interface Kernel {
  readonly pipeline: GPUComputePipeline;
  readonly binds: BindKind;
}

/** The pipelines of a device, compiled when they are first used. */
export class Kernels {
  private readonly compiled = new Map<string, Kernel>();
  private readonly modules = new Map<string, GPUShaderModule>();
  readonly layouts: Readonly<Record<BindKind, GPUBindGroupLayout>>;

  constructor(
    private readonly device: GPUDevice,
    private readonly units: Units,
  ) {
    const storage = (binding: number, type: GPUBufferBindingType = "storage"): GPUBindGroupLayoutEntry => ({
      binding,
      visibility: COMPUTE_STAGE,
      buffer: { type },
    });
    const params = {
      binding: 1,
      visibility: COMPUTE_STAGE,
      buffer: { type: "uniform", hasDynamicOffset: true },
    } as const;
    const layout = (...more: GPUBindGroupLayoutEntry[]) =>
      device.createBindGroupLayout({ entries: [storage(0), params, ...more] });
    this.layouts = {
      plain: layout(),
      read: layout(storage(2, "read-only-storage")),
      cache: layout(storage(2), storage(3)),
    };
  }

  get(spec: KernelSpec): Kernel {
    const { name, entry = "main", dtype = "", constants = {} } = spec;
    let key = `${name} ${dtype}`;
    for (const constant in constants) key += ` ${constants[constant]}`;
    const found = this.compiled.get(`${key} ${entry}`);
    if (found !== undefined) return found;
    let module = this.modules.get(key);
    if (module === undefined) {
      module = this.device.createShaderModule({ label: key, code: sourceOf(spec, this.units) });
      this.modules.set(key, module);
    }
    const binds = bindsOf(name);
    const layout = this.device.createPipelineLayout({ bindGroupLayouts: [this.layouts[binds]] });
    const pipeline = this.device.createComputePipeline({ label: key, layout, compute: { module, entryPoint: entry } });
    const kernel = { pipeline, binds };
    this.compiled.set(`${key} ${entry}`, kernel);
    return kernel;
  }
}
