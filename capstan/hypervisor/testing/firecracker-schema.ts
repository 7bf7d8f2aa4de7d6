/**
 * The parts of Firecracker's API description that capstan uses, as JSON Schema: names, types,
 * limits and required fields as in src/firecracker/swagger/firecracker.yaml, version 1.17. Unknown
 * fields are refused, as Firecracker does. For tests only.
 */

const text = { type: "string" } as const;
const object = (properties: object, required: readonly string[] = []) => {
  return { type: "object", properties, required, additionalProperties: false } as const;
};

/** Schema of the body of each request, by path. */
export const firecrackerBodies: readonly (readonly [path: RegExp, schema: object])[] = [
  [
    /^\/boot-source$/,
    object({ kernel_image_path: text, boot_args: text, initrd_path: text }, ["kernel_image_path"]),
  ],
  [
    /^\/drives\/\w+$/,
    object(
      {
        drive_id: text,
        is_root_device: { type: "boolean" },
        is_read_only: { type: "boolean" },
        path_on_host: text,
        partuuid: text,
        cache_type: { enum: ["Unsafe", "Writeback"] },
        io_engine: { enum: ["Sync", "Async"] },
      },
      ["drive_id", "is_root_device"],
    ),
  ],
  [
    /^\/network-interfaces\/\w+$/,
    object(
      {
        iface_id: text,
        host_dev_name: text,
        guest_mac: text,
        mtu: { type: "integer", minimum: 68, maximum: 65535 },
      },
      ["iface_id", "host_dev_name"],
    ),
  ],
  [
    /^\/machine-config$/,
    object(
      {
        vcpu_count: { type: "integer", minimum: 1, maximum: 32 },
        mem_size_mib: { type: "integer" },
        smt: { type: "boolean" },
        track_dirty_pages: { type: "boolean" },
        huge_pages: { enum: ["None", "Transparent", "2M"] },
      },
      ["vcpu_count", "mem_size_mib"],
    ),
  ],
  [/^\/entropy$/, object({ rate_limiter: { type: "object" } })],
  [
    /^\/actions$/,
    object({ action_type: { enum: ["FlushMetrics", "InstanceStart", "SendCtrlAltDel"] } }, [
      "action_type",
    ]),
  ],
];
