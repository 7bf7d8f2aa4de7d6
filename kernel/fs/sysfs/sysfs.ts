/**
 * /sys: the little of it that programs ask for (sysfs(5)): which processors there are, and how huge
 * pages are used. Served like the fixed parts of /proc, from a table.
 *
 * Neighbours: `procfs/table`, `procfs/procfs`.
 */
import { ProcFileSystem } from "../procfs/procfs";
import { KIND_DIRECTORY, ProcTable } from "../procfs/table";
import { FileSystem } from "../vnode";

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
    root.addDirectory("class");
    addProcessors(root.addDirectory("devices").addDirectory("system"));
    root.addDirectory("firmware");
    root.addDirectory("fs").addDirectory("cgroup");
    const huge = root
      .addDirectory("kernel")
      .addDirectory("mm")
      .addDirectory("transparent_hugepage");
    huge.addText("enabled", "[always] madvise never");
    huge.addText("defrag", "always defer defer+madvise [madvise] never");
    huge.addText("hpage_pmd_size", "2097152");
    root.addDirectory("module");
    return root;
  }
}

/** One processor, one memory node. */
function addProcessors(system: ProcTable): void {
  const cpu = system.addDirectory("cpu");
  const topology = cpu.addDirectory("cpu0").addDirectory("topology");
  topology.addText("core_id", "0");
  topology.addText("core_siblings_list", "0");
  topology.addText("physical_package_id", "0");
  topology.addText("thread_siblings", "1");
  topology.addText("thread_siblings_list", "0");
  cpu.addText("isolated", "");
  cpu.addText("kernel_max", "63");
  cpu.addText("offline", "");
  cpu.addText("online", "0");
  cpu.addText("possible", "0");
  cpu.addText("present", "0");
  const node = system.addDirectory("node");
  const node0 = node.addDirectory("node0");
  node0.addText("cpulist", "0");
  node0.addText("cpumap", "1");
  node.addText("online", "0");
  node.addText("possible", "0");
}

/** Makes the file system. */
export function createSysfs(): FileSystem {
  return new SysFileSystem();
}
