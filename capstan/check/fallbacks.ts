/**
 * How programs do without system calls that are absent, as their documentation says: what they get
 * is ENOSYS, as on an older or differently configured Linux, and they go another way.
 *
 * Neighbours: `judge.ts` weighs calls by this; `kernel/linux/syscall-table.ts` says which are absent.
 */

/** A way without a call. */
export interface Fallback {
  /**
   * For whom: `anyone`, or `libraries`, which offer a feature that needs the call among others; a
   * program that makes the call itself is about that feature.
   */
  readonly of: "anyone" | "libraries";
  /** What happens instead. */
  readonly how: string;
}

const byCalls: readonly (readonly [names: string, of: Fallback["of"], how: string])[] = [
  [
    "io_uring_setup io_uring_enter io_uring_register",
    "anyone",
    "libuv, liburing's users and databases take epoll and threads instead",
  ],
  [
    "landlock_create_ruleset landlock_add_rule landlock_restrict_self",
    "anyone",
    "programs go on without this sandbox: landlock(7)",
  ],
  ["map_shadow_stack mseal", "anyone", "a protection that is left out where it is not offered"],
  ["memfd_secret", "anyone", "memfd_create or locked memory is taken instead"],
  ["process_mrelease", "anyone", "memory of a killed process is free without it"],
  ["statmount listmount", "anyone", "/proc/self/mountinfo is read instead"],
  [
    "lsm_get_self_attr lsm_set_self_attr lsm_list_modules",
    "anyone",
    "/proc/self/attr is read instead",
  ],
  [
    "add_key request_key keyctl",
    "libraries",
    "tickets and passwords are kept in files or memory: krb5.conf(5)",
  ],
  ["ptrace", "libraries", "only for debugging from inside the guest"],
  ["perf_event_open bpf", "libraries", "only for measuring from inside the guest"],
  ["userfaultfd", "libraries", "only for migration and checkpoints"],
];

/** Ways without calls, by the call's name. */
export const fallbacks: ReadonlyMap<string, Fallback> = new Map(
  byCalls.flatMap(([names, of, how]) =>
    names.split(" ").map((name) => [name, { of, how }] as const),
  ),
);
