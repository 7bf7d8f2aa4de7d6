/**
 * The parts of Cloud Hypervisor's API description that capstan uses, as JSON Schema: names, types
 * and required fields as in vmm/src/api/openapi/cloud-hypervisor.yaml, API 0.3.0. For tests only.
 */

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const count = { type: "integer", minimum: 1 } as const;
const object = (properties: object, required: readonly string[] = []) => {
  return { type: "object", properties, required, additionalProperties: false } as const;
};
const consoleMode = { enum: ["Off", "Pty", "Tty", "File", "Socket", "Null"] } as const;

/** VmConfig, the body of `vm.create`. */
export const vmConfigSchema = object(
  {
    cpus: object({ boot_vcpus: count, max_vcpus: count }, ["boot_vcpus", "max_vcpus"]),
    memory: object({ size: { type: "integer" }, shared: flag, mergeable: flag }, ["size"]),
    payload: object({ firmware: text, kernel: text, cmdline: text, initramfs: text }),
    disks: {
      type: "array",
      items: object({
        path: text,
        readonly: flag,
        image_type: { enum: ["FlatVmdk", "FixedVhd", "Qcow2", "Raw", "Vhdx", "Unknown"] },
      }),
    },
    net: { type: "array", items: object({ tap: text, ip: text, mask: text, mac: text }) },
    rng: object({ src: text }, ["src"]),
    serial: object({ mode: consoleMode, file: text, socket: text }, ["mode"]),
    console: object({ mode: consoleMode, file: text, socket: text }, ["mode"]),
  },
  ["payload"],
);
