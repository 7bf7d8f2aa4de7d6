/**
 * What the options of `capstan run` may be and are by default, as far as users can set them
 * (`../config/settings.ts`). Plain data that costs nothing to load.
 */

export const accelerators = ["auto", "kvm", "hvf", "tcg"] as const;
export const machines = ["microvm", "q35", "pc"] as const;

/** Options whose defaults users can set. */
export type SettingName = "memory" | "cpus" | "accel" | "machine" | "hypervisor" | "kernel";

/** Their defaults. */
export const defaultSettings: Readonly<Record<SettingName, string | undefined>> = {
  memory: "512M",
  cpus: "1",
  accel: "auto",
  machine: "microvm",
  hypervisor: "qemu",
  kernel: undefined,
};
