/**
 * A process for the tests of /proc: number 7 with two threads and a table of open files.
 */
import { ESRCH } from "../../lib/errno";
import { ByteWriter } from "../../lib/format";
import { AddressSpace } from "../../vm/address-space";
import { Dentry } from "../dentry";
import { File } from "../file";
import { FsContext } from "../fs-context";
import { Literal } from "../literal";
import { LimitFacts, ProcessFacts, ProcessProvider } from "../procfs/provider";

const PID: i32 = 7;
const SECOND_THREAD: i32 = 9;
const DESCRIPTORS: i32 = 8;

export class TestProvider extends ProcessProvider {
  private comm: Literal = new Literal("test (x)");
  private files: StaticArray<usize> = new StaticArray<usize>(8);

  constructor(
    private context: FsContext,
    private program: Dentry,
  ) {
    super();
    for (let i = 0; i < DESCRIPTORS; i++) this.files[i] = 0;
  }

  /** Puts a file (its reference) at a descriptor, or takes it away (0). */
  setDescriptor(descriptor: i32, file: usize): void {
    this.files[descriptor] = file;
  }

  currentPid(): i32 {
    return PID;
  }
  currentTid(): i32 {
    return SECOND_THREAD;
  }
  nextPid(after: i32): i32 {
    return after < PID ? PID : 0;
  }
  nextTid(pid: i32, after: i32): i32 {
    if (pid != PID) return 0;
    return after < PID ? PID : after < SECOND_THREAD ? SECOND_THREAD : 0;
  }
  exists(pid: i32, tid: i32): bool {
    return pid == PID && (tid == PID || tid == SECOND_THREAD);
  }
  facts(pid: i32, tid: i32, out: ProcessFacts): bool {
    if (!this.exists(pid, tid)) return false;
    out.pid = pid;
    out.tid = tid;
    out.threadCount = 2;
    out.commBytes = this.comm.bytes;
    out.commLength = <u32>this.comm.length;
    return true;
  }
  group(_pid: i32, index: u32): i64 {
    return index < 2 ? 100 + index : -1;
  }
  setComm(pid: i32, tid: i32, name: usize, length: usize): i64 {
    if (!this.exists(pid, tid)) return -ESRCH;
    this.comm.length = min<usize>(length, this.comm.length);
    memory.copy(this.comm.bytes, name, this.comm.length);
    return 0;
  }
  limit(_pid: i32, resource: u32, out: LimitFacts): bool {
    out.soft = resource;
    out.hard = u64.MAX_VALUE;
    return true;
  }
  fsContext(pid: i32): FsContext | null {
    if (pid != PID) return null;
    this.context.retain();
    return this.context;
  }
  executable(pid: i32): Dentry | null {
    if (pid != PID) return null;
    this.program.retain();
    return this.program;
  }
  addressSpace(_pid: i32): AddressSpace | null {
    return null;
  }
  nextDescriptor(pid: i32, after: i32): i32 {
    if (pid != PID) return -1;
    for (let i = after + 1; i < DESCRIPTORS; i++) if (this.files[i]) return i;
    return -1;
  }
  file(pid: i32, descriptor: i32): File | null {
    if (pid != PID || descriptor < 0 || descriptor >= DESCRIPTORS) return null;
    const file = changetype<File | null>(this.files[descriptor]);
    if (file) file.retain();
    return file;
  }
  writeAuxiliaryVector(_pid: i32, out: ByteWriter): void {
    out.writeByte(6);
  }
  threadCount(): u32 {
    return 2;
  }
  runnableCount(): u32 {
    return 1;
  }
}
