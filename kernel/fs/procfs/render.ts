/**
 * Writes the text of a file of /proc.
 *
 * Neighbours: `machine-text`, `cpuinfo` (the machine), `process-text`, `status-text`, `maps-text`
 * (processes), `mounts-text`.
 */
import { ENOENT } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { writeCpuinfo } from "./cpuinfo";
import {
  writeBootId,
  writeCommandLine,
  writeDevices,
  writeFilesystems,
  writeLoadAverage,
  writeMeminfo,
  writePartitions,
  writeStat,
  writeUptime,
  writeUuid,
  writeVersion,
  writeVmstat,
} from "./machine-text";
import { writeMaps, writeRollup } from "./maps-text";
import { writeMountinfo, writeMounts } from "./mounts-text";
import { renderProcess } from "./process-text";
import { allProcessors, writeProcessorList, writeProcessorMask } from "./processors-text";
import { writeInterfaceFact, writeNetwork } from "./network-text";
import { processProvider } from "./provider";
import { writeSlabinfo } from "./slab-text";
import { writeFileMaximum, writeFileNumbers, writeThreadsMaximum } from "./limits-text";
import {
  KIND_BOOT_ID,
  KIND_COMMAND_LINE,
  KIND_CPUINFO,
  KIND_DEVICES,
  KIND_FILESYSTEMS,
  KIND_FILE_MAX,
  KIND_FILE_NR,
  KIND_HOST_NAME,
  KIND_INTERFACE,
  KIND_LOADAVG,
  KIND_MAPS,
  KIND_MEMINFO,
  KIND_MOUNTINFO,
  KIND_MOUNTS,
  KIND_NETWORK,
  KIND_OS_RELEASE,
  KIND_OS_VERSION,
  KIND_PARTITIONS,
  KIND_PROCESSOR_LIST,
  KIND_PROCESSOR_MASK,
  KIND_RAW_TEXT,
  KIND_SLABINFO,
  KIND_SMAPS,
  KIND_SMAPS_ROLLUP,
  KIND_STAT,
  KIND_TEXT,
  KIND_THREADS_MAX,
  KIND_UPTIME,
  KIND_UUID,
  KIND_VERSION,
  KIND_VMSTAT,
} from "./table";

/**
 * @param pid process of the file, 0 for files of the machine
 * @param tid thread or descriptor
 * @param text the entry's own text
 * @returns 0, or -ESRCH, -ENOENT if what it is about has gone
 */
export function render(kind: u32, pid: i32, tid: i32, text: string, out: ByteWriter): i64 {
  if (kind >= KIND_MAPS) return renderOfProcess(kind, pid, tid, out);
  switch (kind) {
    case KIND_TEXT:
      out.writeString(text);
      out.writeByte(0x0a);
      break;
    case KIND_RAW_TEXT:
      out.writeString(text);
      break;
    case KIND_CPUINFO:
      writeCpuinfo(out);
      break;
    case KIND_MEMINFO:
      writeMeminfo(out);
      break;
    case KIND_INTERFACE:
      writeInterfaceFact(text, out);
      break;
    case KIND_SLABINFO:
      writeSlabinfo(out);
      break;
    case KIND_STAT:
      writeStat(out);
      break;
    case KIND_UPTIME:
      writeUptime(out);
      break;
    case KIND_LOADAVG:
      writeLoadAverage(out);
      break;
    case KIND_VERSION:
      writeVersion(out);
      break;
    case KIND_FILESYSTEMS:
      writeFilesystems(out);
      break;
    case KIND_COMMAND_LINE:
      writeCommandLine(out);
      break;
    case KIND_VMSTAT:
      writeVmstat(out);
      break;
    case KIND_DEVICES:
      writeDevices(out);
      break;
    case KIND_PARTITIONS:
      writePartitions(out);
      break;
    case KIND_PROCESSOR_LIST:
      writeProcessorList(out, allProcessors());
      out.writeByte(0x0a);
      break;
    case KIND_PROCESSOR_MASK:
      writeProcessorMask(out, allProcessors());
      out.writeByte(0x0a);
      break;
    case KIND_NETWORK:
      writeNetwork(text, out);
      break;
    case KIND_BOOT_ID:
      writeBootId(out);
      break;
    case KIND_UUID:
      writeUuid(out);
      break;
    case KIND_THREADS_MAX:
      writeThreadsMaximum(out);
      break;
    case KIND_FILE_MAX:
      writeFileMaximum(out);
      break;
    case KIND_FILE_NR:
      writeFileNumbers(out);
      break;
    default:
      return renderNames(kind, out);
  }
  return 0;
}

/** What uname(2) says too. */
function renderNames(kind: u32, out: ByteWriter): i64 {
  const provider = processProvider();
  if (!provider) return -ENOENT;
  switch (kind) {
    case KIND_HOST_NAME:
      provider.writeHostName(out);
      break;
    case KIND_OS_RELEASE:
      out.writeString(provider.osRelease());
      break;
    case KIND_OS_VERSION:
      out.writeString(provider.osVersion());
      break;
    default:
      return -ENOENT;
  }
  out.writeByte(0x0a);
  return 0;
}

function renderOfProcess(kind: u32, pid: i32, tid: i32, out: ByteWriter): i64 {
  const provider = processProvider();
  if (!provider) return -ENOENT;
  switch (kind) {
    case KIND_MAPS:
      return writeMaps(provider, pid, false, out);
    case KIND_SMAPS:
      return writeMaps(provider, pid, true, out);
    case KIND_SMAPS_ROLLUP:
      return writeRollup(provider, pid, out);
    case KIND_MOUNTS:
      writeMounts(out);
      return 0;
    case KIND_MOUNTINFO:
      writeMountinfo(out);
      return 0;
    default:
      return renderProcess(provider, kind, pid, tid, out);
  }
}
