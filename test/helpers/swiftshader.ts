import { existsSync } from "node:fs";

// A GPU in software, which Debian's package chromium brings: apt-get install chromium libvulkan1.
const DRIVERS = ["/usr/lib/chromium/vk_swiftshader_icd.json", "/usr/lib/chromium-browser/vk_swiftshader_icd.json"];

/** Where there is SwiftShader tests use it, not a GPU: it gives the same numbers everywhere. Before the first device. */
export function useSwiftShader(): void {
  const driver = DRIVERS.find((path) => existsSync(path));
  if (process.env.VK_ICD_FILENAMES !== undefined) return;
  if (driver === undefined) {
    console.warn("webgpu: no SwiftShader here (apt-get install chromium libvulkan1): tests need a GPU, or are skipped");
    return;
  }
  process.env.VK_ICD_FILENAMES = driver;
  process.env.GEMMA_WEBGPU_FLAGS ??= "backend=vulkan";
}
