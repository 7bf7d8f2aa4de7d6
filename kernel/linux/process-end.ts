/**
 * The end of a process other than the first: what it held is given back, its children find a new
 * parent, its own parent is told.
 *
 * A child whose parent has ended belongs to the nearest ancestor that asked for it
 * (PR_SET_CHILD_SUBREAPER), else to the first process. The first process is an ordinary program that
 * knows nothing of such children, so the kernel waits for them in its place, as init does on a host.
 *
 * Neighbours: `exit.ts` (calls in), `wait.ts` (collects zombies), `process-table.ts`.
 */
import { endContexts } from "./aio-context";
import { closeFile } from "./fd-control";
import { processCpuNs } from "./cpu-time";
import { undoSemaphores } from "./ipc-semaphores";
import { JOB_NO_NEWS, LinuxProcess } from "./process";
import { familyLock, initProcess, leaveTable } from "./process-table";
import { CLD_EXITED, CLD_KILLED, SA_NOCLDWAIT, SIGCHLD, SIG_IGN } from "./signal-numbers";
import { sendChildSignal, sendKernelSignal } from "./signal-send";
import { leaveTerminal } from "./terminals";

/** Ends the process after its last thread has left it; runs on that thread. May sleep. */
export function finishProcess(process: LinuxProcess): void {
  process.endAllTimers();
  leaveTerminal(process, false);
  undoSemaphores(process);
  endContexts(process);
  familyLock.acquire();
  process.isEmpty = true; // /proc takes no new references
  familyLock.release();
  closeFiles(process);
  process.fsContext.release();
  process.setExecutable(null);
  process.leaveAddressSpace();
  process.giveSpaceBack();
  familyLock.acquire();
  handChildrenOn(process);
  process.isZombie = true;
  process.stopSignal = 0;
  process.jobNews = JOB_NO_NEWS;
  process.ended.wakeAll();
  tellParent(process);
  familyLock.release();
}

function closeFiles(process: LinuxProcess): void {
  const files = process.files;
  if (files.referenceCount() == 1) {
    for (let fd = files.nextOpen(0); fd >= 0; fd = files.nextOpen(<u32>fd + 1)) {
      const file = files.remove(fd);
      if (file) closeFile(file);
    }
  }
  files.release();
}

/** Gives the children of an ending process to another. Hold `familyLock`. */
function handChildrenOn(process: LinuxProcess): void {
  let heir = process.parent;
  while (heir && (heir.childSubreaper == 0 || heir.isZombie)) heir = heir.parent;
  const target = heir ? heir : initProcess();
  let child = process.children.first;
  while (child) {
    const next = process.children.next(child);
    process.children.remove(child);
    child.setParent(target);
    child.isAdopted = true;
    target.children.pushBack(child);
    if (child.isZombie) tellParent(child);
    else if (child.parentDeathSignal != 0) sendKernelSignal(child, child.parentDeathSignal);
    child = next;
  }
}

/** Tells the parent of a zombie, or removes the zombie if nobody will wait. Hold `familyLock`. */
function tellParent(process: LinuxProcess): void {
  const parent = process.parent;
  if (!parent) return;
  const number = process.exitSignal;
  const action = parent.signals.action(SIGCHLD);
  const isUnwanted =
    number == SIGCHLD && (action.handler == SIG_IGN || (action.flags & SA_NOCLDWAIT) != 0);
  const isOrphan = process.isAdopted && parent.id == 1 && parent.childSubreaper == 0;
  if (number != 0 && !isOrphan) {
    const signal = process.exitStatus & 0x7f;
    const status = signal != 0 ? signal : (process.exitStatus >> 8) & 0xff;
    sendChildSignal(parent, process, number, signal != 0 ? CLD_KILLED : CLD_EXITED, status);
  }
  if (isUnwanted || isOrphan) removeZombie(process);
  parent.childEvents.wakeAll();
}

/** Takes a zombie out of its family and the table. Hold `familyLock`. */
export function removeZombie(process: LinuxProcess): void {
  const parent = process.parent;
  if (parent) parent.children.remove(process);
  process.setParent(null);
  leaveTable(process);
  process.letGo();
}

/** Counts a child's figures for its parent's getrusage(RUSAGE_CHILDREN). Hold `familyLock`. */
export function addChildUsage(parent: LinuxProcess, child: LinuxProcess): void {
  parent.childrenNs += processCpuNs(child) + child.childrenNs;
  const peak = max(child.peakPages, child.childrenPeakPages);
  if (peak > parent.childrenPeakPages) parent.childrenPeakPages = peak;
}
