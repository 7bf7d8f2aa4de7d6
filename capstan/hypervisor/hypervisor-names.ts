/** Names of hypervisors for `--hypervisor`; `catalog.ts` says what each is. */
export const hypervisorNames = [
  "qemu",
  "firecracker",
  "cloud-hypervisor",
  "libvirt",
  "xen",
  "virtualbox",
  "vmware",
] as const;
export type HypervisorName = (typeof hypervisorNames)[number];
