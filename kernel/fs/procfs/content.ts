/**
 * The contents of /proc as data: which names there are, and what stands behind them (proc(5)).
 * A value that programs read to tune themselves is what this kernel really does, or Linux's default.
 *
 * Neighbours: `table` (the kinds), `render` (the texts).
 */
import {
  KIND_AUXV,
  KIND_BOOT_ID,
  KIND_CMDLINE,
  KIND_COMM,
  KIND_COMMAND_LINE,
  KIND_CPUINFO,
  KIND_CWD,
  KIND_DESCRIPTORS,
  KIND_DESCRIPTOR_FACTS,
  KIND_DEVICES,
  KIND_ENVIRON,
  KIND_EXE,
  KIND_FILESYSTEMS,
  KIND_FILE_MAX,
  KIND_FILE_NR,
  KIND_HOST_NAME,
  KIND_IO,
  KIND_LIMITS,
  KIND_LINK,
  KIND_LOADAVG,
  KIND_MAPS,
  KIND_MEMINFO,
  KIND_MOUNTINFO,
  KIND_MOUNTS,
  KIND_NETWORK,
  KIND_OOM_SCORE_ADJ,
  KIND_OS_RELEASE,
  KIND_OS_VERSION,
  KIND_PARTITIONS,
  KIND_PROCESS_ROOT,
  KIND_PROCESS_STAT,
  KIND_RAW_TEXT,
  KIND_SCHEDSTAT,
  KIND_SELF,
  KIND_SLABINFO,
  KIND_SMAPS,
  KIND_SMAPS_ROLLUP,
  KIND_STAT,
  KIND_STATM,
  KIND_STATUS,
  KIND_SYSTEM_REQUEST,
  KIND_TASKS,
  KIND_THREADS_MAX,
  KIND_THREAD_SELF,
  KIND_UPTIME,
  KIND_UUID,
  KIND_VERSION,
  KIND_VMSTAT,
  ProcTable,
} from "./table";

/** The names in /proc, /proc/PID and /proc/PID/task/TID; like all objects of modules, made at build time. */
export const ROOT_NAMES = rootNames();
export const PROCESS_NAMES = processNames();
export const THREAD_NAMES = threadNames();

function rootNames(): ProcTable {
  const root = new ProcTable();
  root.add("self", KIND_SELF, 0o777);
  root.add("thread-self", KIND_THREAD_SELF, 0o777);
  root.add("cmdline", KIND_COMMAND_LINE);
  root.add("cpuinfo", KIND_CPUINFO);
  root.add("devices", KIND_DEVICES);
  root.add("filesystems", KIND_FILESYSTEMS);
  root.add("loadavg", KIND_LOADAVG);
  root.add("meminfo", KIND_MEMINFO);
  root.add("modules", KIND_RAW_TEXT);
  root.add("mounts", KIND_LINK, 0o777, "self/mounts");
  root.add("net", KIND_LINK, 0o777, "self/net");
  root.add("partitions", KIND_PARTITIONS);
  root.add("slabinfo", KIND_SLABINFO, 0o400);
  root.add("stat", KIND_STAT);
  root.add("swaps", KIND_RAW_TEXT, 0o444, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
  root.add("sysrq-trigger", KIND_SYSTEM_REQUEST, 0o200);
  root.add("uptime", KIND_UPTIME);
  root.add("version", KIND_VERSION);
  root.add("vmstat", KIND_VMSTAT);
  addSystemSettings(root.addDirectory("sys"));
  return root;
}

function processNames(): ProcTable {
  const table = threadNames();
  table.addListing("task", KIND_TASKS);
  return table;
}

/** What processes and threads have both. */
function threadNames(): ProcTable {
  const table = new ProcTable();
  table.add("exe", KIND_EXE, 0o777);
  table.addListing("fd", KIND_DESCRIPTORS);
  table.addListing("fdinfo", KIND_DESCRIPTOR_FACTS);
  addNetwork(table.addDirectory("net"));
  table.add("auxv", KIND_AUXV, 0o400);
  table.add("cgroup", KIND_RAW_TEXT, 0o444, "0::/\n");
  table.add("cmdline", KIND_CMDLINE);
  table.add("comm", KIND_COMM, 0o644);
  table.add("cwd", KIND_CWD, 0o777);
  table.addText("cpuset", "/");
  table.add("environ", KIND_ENVIRON, 0o400);
  // Identities inside and outside are the same: there are no user namespaces.
  const allIds = "         0          0 4294967295";
  table.addText("gid_map", allIds);
  table.add("io", KIND_IO, 0o400);
  table.add("limits", KIND_LIMITS);
  table.addText("loginuid", "4294967295");
  table.add("maps", KIND_MAPS);
  table.add("mountinfo", KIND_MOUNTINFO);
  table.add("mounts", KIND_MOUNTS);
  table.addText("oom_score", "0");
  table.add("oom_score_adj", KIND_OOM_SCORE_ADJ, 0o644);
  table.addText("personality", "00000000");
  table.add("root", KIND_PROCESS_ROOT, 0o777);
  table.add("schedstat", KIND_SCHEDSTAT);
  table.addText("projid_map", allIds);
  table.addText("sessionid", "4294967295");
  table.addText("setgroups", "allow");
  table.add("smaps", KIND_SMAPS);
  table.add("smaps_rollup", KIND_SMAPS_ROLLUP);
  table.add("stat", KIND_PROCESS_STAT);
  table.add("statm", KIND_STATM);
  table.add("status", KIND_STATUS);
  table.addText("timerslack_ns", "50000");
  table.addText("uid_map", allIds);
  table.addText("wchan", "0");
  return table;
}

/** /proc/PID/net: the network writes the texts. */
function addNetwork(net: ProcTable): void {
  addNetworkFile(net, "arp");
  addNetworkFile(net, "dev");
  addNetworkFile(net, "if_inet6");
  addNetworkFile(net, "igmp");
  addNetworkFile(net, "igmp6");
  addNetworkFile(net, "ipv6_route");
  addNetworkFile(net, "netstat");
  addNetworkFile(net, "raw");
  addNetworkFile(net, "raw6");
  addNetworkFile(net, "route");
  addNetworkFile(net, "snmp");
  addNetworkFile(net, "snmp6");
  addNetworkFile(net, "sockstat");
  addNetworkFile(net, "sockstat6");
  addNetworkFile(net, "softnet_stat");
  addNetworkFile(net, "tcp");
  addNetworkFile(net, "tcp6");
  addNetworkFile(net, "udp");
  addNetworkFile(net, "udp6");
  addNetworkFile(net, "udplite");
  addNetworkFile(net, "udplite6");
  const head = "Num       RefCount Protocol Flags    Type St Inode Path\n";
  net.add("unix", KIND_RAW_TEXT, 0o444, head);
}

function addNetworkFile(net: ProcTable, name: string): void {
  net.add(name, KIND_NETWORK, 0o444, name);
}

/** /proc/sys: what programs look at; nothing can be set. */
function addSystemSettings(sys: ProcTable): void {
  const fs = sys.addDirectory("fs");
  fs.addText("aio-max-nr", "65536");
  fs.addText("aio-nr", "0");
  fs.add("file-max", KIND_FILE_MAX);
  fs.add("file-nr", KIND_FILE_NR);
  const inotify = fs.addDirectory("inotify");
  inotify.addText("max_queued_events", "16384");
  inotify.addText("max_user_instances", "1048576");
  inotify.addText("max_user_watches", "65536");
  const queues = fs.addDirectory("mqueue");
  queues.addText("msg_default", "10");
  queues.addText("msg_max", "65536");
  queues.addText("msgsize_default", "8192");
  queues.addText("msgsize_max", "16777216");
  fs.addText("nr_open", "1048576");
  fs.addText("overflowgid", "65534");
  fs.addText("overflowuid", "65534");
  fs.addText("pipe-max-size", "1048576");
  fs.addText("protected_hardlinks", "0");
  fs.addText("protected_symlinks", "0");
  fs.addText("suid_dumpable", "0");
  const kernel = sys.addDirectory("kernel");
  kernel.addText("cap_last_cap", "40");
  kernel.addText("core_pattern", "core");
  kernel.addText("domainname", "(none)");
  kernel.addText("dmesg_restrict", "0");
  kernel.add("hostname", KIND_HOST_NAME);
  // Nobody can make a ring (docs/decisions, io_uring).
  kernel.addText("io_uring_disabled", "2");
  kernel.addText("msgmax", "8192");
  kernel.addText("msgmnb", "16384");
  kernel.addText("msgmni", "4096");
  kernel.addText("ngroups_max", "65536");
  kernel.addText("numa_balancing", "0");
  kernel.add("osrelease", KIND_OS_RELEASE);
  kernel.addText("ostype", "Linux");
  kernel.addText("overflowgid", "65534");
  kernel.addText("overflowuid", "65534");
  kernel.addText("perf_event_paranoid", "3");
  kernel.addText("pid_max", "32768");
  kernel.addDirectory("pty").addText("max", "4096");
  const random = kernel.addDirectory("random");
  random.add("boot_id", KIND_BOOT_ID);
  random.addText("entropy_avail", "256");
  random.addText("poolsize", "256");
  random.add("uuid", KIND_UUID);
  kernel.addText("randomize_va_space", "2");
  kernel.addText("sched_rr_timeslice_ms", "4");
  const actions = "kill_process kill_thread trap errno trace log allow";
  kernel.addDirectory("seccomp").addText("actions_avail", actions);
  kernel.addText("sem", "32000\t131072000\t500\t4096");
  kernel.addText("shmall", "18446744073692774399");
  kernel.addText("shmmax", "18446744073692774399");
  kernel.addText("shmmni", "4096");
  kernel.addText("tainted", "0");
  kernel.addText("unprivileged_bpf_disabled", "2");
  kernel.add("threads-max", KIND_THREADS_MAX);
  kernel.add("version", KIND_OS_VERSION);
  addNetworkSettings(sys.addDirectory("net"));
  const vm = sys.addDirectory("vm");
  vm.addText("max_map_count", "65530");
  vm.addText("min_free_kbytes", "0");
  vm.addText("mmap_min_addr", "65536");
  vm.addText("nr_hugepages", "0");
  vm.addText("overcommit_memory", "1");
  vm.addText("overcommit_ratio", "50");
  vm.addText("swappiness", "0");
  vm.addText("zone_reclaim_mode", "0");
}

/** /proc/sys/net: the values that the network works by (tcp(7), socket(7), ip(7)). */
function addNetworkSettings(net: ProcTable): void {
  const core = net.addDirectory("core");
  core.addText("default_qdisc", "noqueue");
  core.addText("netdev_max_backlog", "1000");
  core.addText("optmem_max", "20480");
  core.addText("rmem_default", "212992");
  core.addText("rmem_max", "4194304");
  core.addText("somaxconn", "4096");
  core.addText("wmem_default", "212992");
  core.addText("wmem_max", "4194304");
  const ipv4 = net.addDirectory("ipv4");
  ipv4.addText("icmp_echo_ignore_all", "0");
  ipv4.addText("icmp_echo_ignore_broadcasts", "1");
  ipv4.addText("ip_default_ttl", "64");
  ipv4.addText("ip_forward", "0");
  ipv4.addText("ip_local_port_range", "32768\t60999");
  ipv4.addText("ip_local_reserved_ports", "");
  ipv4.addText("ip_nonlocal_bind", "0");
  ipv4.addText("ip_unprivileged_port_start", "0");
  ipv4.addText("ping_group_range", "0\t2147483647");
  ipv4.addText("tcp_available_congestion_control", "cubic");
  ipv4.addText("tcp_congestion_control", "cubic");
  ipv4.addText("tcp_ecn", "2");
  ipv4.addText("tcp_fin_timeout", "60");
  ipv4.addText("tcp_keepalive_intvl", "75");
  ipv4.addText("tcp_keepalive_probes", "9");
  ipv4.addText("tcp_keepalive_time", "7200");
  ipv4.addText("tcp_max_syn_backlog", "512");
  ipv4.addText("tcp_retries2", "15");
  ipv4.addText("tcp_rmem", "4096\t524288\t8388608");
  ipv4.addText("tcp_sack", "1");
  ipv4.addText("tcp_syn_retries", "6");
  ipv4.addText("tcp_synack_retries", "5");
  ipv4.addText("tcp_timestamps", "1");
  ipv4.addText("tcp_window_scaling", "1");
  ipv4.addText("tcp_wmem", "4096\t262144\t8388608");
  const ipv6 = net.addDirectory("ipv6");
  ipv6.addText("bindv6only", "0");
  const all = ipv6.addDirectory("conf").addDirectory("all");
  all.addText("disable_ipv6", "0");
  all.addText("forwarding", "0");
  net.addDirectory("unix").addText("max_dgram_qlen", "512");
}
