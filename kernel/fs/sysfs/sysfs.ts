/**
 * /sys: the little of it that programs ask for (sysfs(5)): which processors and network interfaces
 * there are, and how huge pages are used. Served like the fixed parts of /proc, from a table.
 *
 * Neighbours: `procfs/table`, `procfs/procfs`.
 */
import { ProcFileSystem } from "../procfs/procfs";
import {
  KIND_DIRECTORY,
  KIND_PROCESSOR_LIST,
  KIND_PROCESSOR_MASK,
  ProcTable,
  numberedName,
} from "../procfs/table";
import { onlineCpus } from "../../sched/run-queue";
import { FileSystem } from "../vnode";
import { addInterfaces } from "./interfaces";

const SYSFS_MAGIC: u64 = 0x62656572;

class SysFileSystem extends ProcFileSystem {
  constructor() {
    super();
    this.magic = SYSFS_MAGIC;
    this.rootKind = KIND_DIRECTORY;
  }

  typeName(): string {
    return "sysfs";
  }

  makeTable(): ProcTable {
    const root = new ProcTable();
    root.addDirectory("block");
    root.addDirectory("bus");
    addInterfaces(root.addDirectory("class").addDirectory("net"));
    addProcessors(root.addDirectory("devices").addDirectory("system"));
    root.addDirectory("firmware");
    root.addDirectory("fs").addDirectory("cgroup");
    const memory = root.addDirectory("kernel").addDirectory("mm");
    memory.addDirectory("hugepages");
    memory.addDirectory("ksm").addText("run", "0");
    const huge = memory.addDirectory("transparent_hugepage");
    huge.addText("enabled", "[always] madvise never");
    huge.addText("defrag", "always defer defer+madvise [madvise] never");
    huge.addText("hpage_pmd_size", "2097152");
    huge.addText("shmem_enabled", "always within_size advise [never] deny force");
    root.addDirectory("module");
    return root;
  }
}

/** All processors, each a core of its own in one package; one memory node. */
function addProcessors(system: ProcTable): void {
  const cpu = system.addDirectory("cpu");
  for (let i: u32 = 0; i < max<u32>(onlineCpus(), 1); i++) {
    const topology = cpu.addDirectory(numberedName("cpu", i)).addDirectory("topology");
    topology.addText("core_cpus_list", numberedName("", i));
    topology.addText("core_id", numberedName("", i));
    topology.add("core_siblings", KIND_PROCESSOR_MASK);
    topology.add("core_siblings_list", KIND_PROCESSOR_LIST);
    topology.addText("die_id", "0");
    topology.add("package_cpus_list", KIND_PROCESSOR_LIST);
    topology.addText("physical_package_id", "0");
    topology.addText("thread_siblings_list", numberedName("", i));
  }
  cpu.addText("isolated", "");
  cpu.addText("kernel_max", "63");
  cpu.addText("offline", "");
  cpu.add("online", KIND_PROCESSOR_LIST);
  cpu.add("possible", KIND_PROCESSOR_LIST);
  cpu.add("present", KIND_PROCESSOR_LIST);
  const node = system.addDirectory("node");
  node.addText("has_cpu", "0");
  node.addText("has_memory", "0");
  node.addText("has_normal_memory", "0");
  const node0 = node.addDirectory("node0");
  node0.add("cpulist", KIND_PROCESSOR_LIST);
  node0.add("cpumap", KIND_PROCESSOR_MASK);
  node0.addText("distance", "10");
  node.addText("online", "0");
  node.addText("possible", "0");
}

/** The file system. */
export const SYSFS: FileSystem = new SysFileSystem();
