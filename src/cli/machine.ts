import { execFileSync } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { dirname } from "node:path";

// Facts about this machine for `gemma doctor`. What a system does not tell is null.

/** CPU features that the native kernels ask for, by Linux's names. */
const FEATURES = [
  "avx",
  "fma",
  "f16c",
  "avx2",
  "avx_vnni",
  "avx512f",
  "avx512bw",
  "avx512vl",
  "avx512_vnni",
  "avx512_bf16",
];
const ARM_FEATURES = ["asimd", "asimdhp", "asimddp", "i8mm", "bf16"];

export interface Cpu {
  readonly model: string;
  readonly logical: number;
  /** CPUs that the affinity mask leaves to this process. */
  readonly allowed: number;
  /** Cores behind the allowed CPUs: two hardware threads of one core count once. */
  readonly allowedCores: number | null;
  /** CPUs' worth of time that the control group grants; null: no limit, or not told. */
  readonly quota: number | null;
  readonly features: readonly string[] | null;
}

export function describeCpu(): Cpu {
  const info = textOf("/proc/cpuinfo");
  const flags = new Set(
    info
      ?.match(/^(?:flags|Features)\s*:(.*)$/m)?.[1]
      ?.trim()
      .split(/\s+/) ?? [],
  );
  const list = textOf("/proc/self/status")?.match(/^Cpus_allowed_list:\s*(\S+)$/m)?.[1];
  const allowed = list === undefined ? null : parseCpuList(list);
  const cores = allowed?.map((cpu) => textOf(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`));
  return {
    model: cpus()[0]?.model.trim() || process.arch,
    logical: cpus().length,
    allowed: allowed?.length ?? availableParallelism(),
    allowedCores: cores === undefined || cores.includes(null) ? null : new Set(cores).size,
    quota: cgroupQuota(),
    features: info === null ? null : [...FEATURES, ...ARM_FEATURES].filter((name) => flags.has(name)),
  };
}

/** "0-3,8" -> [0, 1, 2, 3, 8] */
export function parseCpuList(list: string): number[] {
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

function cgroupQuota(): number | null {
  const [quota, period] = textOf("/sys/fs/cgroup/cpu.max")?.split(/\s+/) ?? [
    textOf("/sys/fs/cgroup/cpu/cpu.cfs_quota_us") ?? "",
    textOf("/sys/fs/cgroup/cpu/cpu.cfs_period_us") ?? "",
  ];
  const cpuCount = Number(quota) / Number(period); // "max" is NaN, -1 is no limit
  return cpuCount > 0 && Number.isFinite(cpuCount) ? cpuCount : null;
}

/** Bytes free to this user where `path` is or would be. */
export function freeBytes(path: string): number | null {
  for (let folder = path; ; folder = dirname(folder)) {
    try {
      const { bavail, bsize } = statfsSync(folder);
      return bavail * bsize;
    } catch {
      if (folder === dirname(folder)) return null;
    }
  }
}

/** First line of `--version` of the C++ compiler that a build would take. */
export function findCompiler(env: NodeJS.ProcessEnv): string | null {
  for (const command of env.CXX ? [env.CXX] : ["g++", "clang++", "c++"]) {
    try {
      const text = execFileSync(command, ["--version"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
      return `${command}: ${text.split("\n")[0]}`;
    } catch {
      // not this one
    }
  }
  return null;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return null;
  }
}
