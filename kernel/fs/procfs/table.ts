/**
 * What is in the directories of /proc: tables of names, kinds and modes.
 *
 * Neighbours: `content` fills the tables, `proc-directory` serves them, `render` writes the texts.
 */

// Kinds of directories.
/** Only what its table says. */
export const KIND_DIRECTORY: u32 = 1;
/** /proc: the table, then a directory for each process. */
export const KIND_ROOT: u32 = 2;
/** /proc/PID. */
export const KIND_PROCESS: u32 = 3;
/** /proc/PID/task. */
export const KIND_TASKS: u32 = 4;
/** /proc/PID/fd, /proc/PID/fdinfo. */
export const KIND_DESCRIPTORS: u32 = 5;
export const KIND_DESCRIPTOR_FACTS: u32 = 6;

/** /proc/PID/task/TID. */
export const KIND_THREAD: u32 = 7;

// Kinds of links.
/** An ordinary link; the target is the entry's text. */
export const KIND_LINK: u32 = 16;
export const KIND_SELF: u32 = 17;
export const KIND_THREAD_SELF: u32 = 18;
export const KIND_EXE: u32 = 19;
export const KIND_CWD: u32 = 20;
export const KIND_PROCESS_ROOT: u32 = 21;
export const KIND_DESCRIPTOR: u32 = 22;

// Kinds of texts; see `render`.
/** The text of the entry and a line end. */
export const KIND_TEXT: u32 = 32;
/** The text of the entry as it is. */
export const KIND_RAW_TEXT: u32 = 33;
export const KIND_CPUINFO: u32 = 34;
export const KIND_MEMINFO: u32 = 35;
export const KIND_STAT: u32 = 36;
export const KIND_UPTIME: u32 = 37;
export const KIND_LOADAVG: u32 = 38;
export const KIND_VERSION: u32 = 39;
export const KIND_FILESYSTEMS: u32 = 40;
export const KIND_COMMAND_LINE: u32 = 41;
export const KIND_VMSTAT: u32 = 42;
export const KIND_HOST_NAME: u32 = 43;
export const KIND_OS_RELEASE: u32 = 44;
export const KIND_OS_VERSION: u32 = 45;
export const KIND_BOOT_ID: u32 = 46;
export const KIND_UUID: u32 = 47;
export const KIND_THREADS_MAX: u32 = 48;
export const KIND_FILE_MAX: u32 = 49;
export const KIND_FILE_NR: u32 = 50;
export const KIND_DEVICES: u32 = 51;
export const KIND_PARTITIONS: u32 = 52;
/** All processors, as a list and as a mask. */
export const KIND_PROCESSOR_LIST: u32 = 53;
export const KIND_PROCESSOR_MASK: u32 = 54;
/** A file of /proc/net; the text of the entry is its name. */
export const KIND_NETWORK: u32 = 55;
/** Slabs of the kernel heap. */
export const KIND_SLABINFO: u32 = 56;
/** A file of /sys/class/net; the text of the entry is INTERFACE/FILE. */
export const KIND_INTERFACE: u32 = 57;

// Texts about a process.
export const KIND_MAPS: u32 = 64;
export const KIND_SMAPS: u32 = 65;
export const KIND_PROCESS_STAT: u32 = 66;
export const KIND_STATM: u32 = 67;
export const KIND_STATUS: u32 = 68;
export const KIND_COMM: u32 = 69;
export const KIND_CMDLINE: u32 = 70;
export const KIND_ENVIRON: u32 = 71;
export const KIND_AUXV: u32 = 72;
export const KIND_LIMITS: u32 = 73;
export const KIND_MOUNTS: u32 = 74;
export const KIND_MOUNTINFO: u32 = 75;
export const KIND_OOM_SCORE_ADJ: u32 = 76;
export const KIND_IO: u32 = 77;
export const KIND_SCHEDSTAT: u32 = 78;
export const KIND_FD_FACTS: u32 = 79;
export const KIND_SYSTEM_REQUEST: u32 = 80;
export const KIND_SMAPS_ROLLUP: u32 = 81;

/** A string of a prefix and a number, which is never freed: for tables made once. */
export function numberedName(prefix: string, value: u32): string {
  let digits = 1;
  for (let rest = value / 10; rest; rest /= 10) digits++;
  const length = prefix.length + digits;
  const text = __new((<usize>length) << 1, idof<string>());
  memory.copy(text, changetype<usize>(prefix), (<usize>prefix.length) << 1);
  let rest = value;
  for (let i = length - 1; i >= prefix.length; i--) {
    store<u16>(text + ((<usize>i) << 1), <u16>(0x30 + (rest % 10)));
    rest /= 10;
  }
  return changetype<string>(text);
}

/** Two strings joined to one that is never freed: for tables. */
export function joinedName(first: string, second: string): string {
  const firstBytes = (<usize>first.length) << 1;
  const secondBytes = (<usize>second.length) << 1;
  const text = __new(firstBytes + secondBytes, idof<string>());
  memory.copy(text, changetype<usize>(first), firstBytes);
  memory.copy(text + firstBytes, changetype<usize>(second), secondBytes);
  return changetype<string>(text);
}

/** One name in a table. */
export class ProcEntry {
  next: ProcEntry | null = null;

  /**
   * @param mode permission bits
   * @param text target or contents, "" if the kind has none
   * @param children for directories with a table
   */
  constructor(
    readonly name: string,
    readonly kind: u32,
    readonly mode: u32,
    readonly text: string,
    readonly children: ProcTable | null,
  ) {}
}

/** The names of a directory, in the order they are listed. */
export class ProcTable {
  private head: ProcEntry | null = null;
  private last: ProcEntry | null = null;
  /** Adds what has come into being since; called whenever somebody looks. */
  private update: ((table: ProcTable) => void) | null = null;

  /** The first entry; follow `next`. */
  get first(): ProcEntry | null {
    const update = this.update;
    if (update) update(this);
    return this.head;
  }

  /** Lets `update` add entries whenever somebody looks into the table. */
  keepUpdated(update: (table: ProcTable) => void): void {
    this.update = update;
  }

  /** Number of entries so far. */
  get length(): u32 {
    let count: u32 = 0;
    let entry = this.head;
    while (entry) {
      count++;
      entry = entry.next;
    }
    return count;
  }

  /** Adds a file or link. */
  add(name: string, kind: u32, mode: u32 = 0o444, text: string = ""): void {
    this.append(new ProcEntry(name, kind, mode, text, null));
  }

  /** Adds a file that says `text`. */
  addText(name: string, text: string): void {
    this.append(new ProcEntry(name, KIND_TEXT, 0o444, text, null));
  }

  /** Adds a directory and returns its table. */
  addDirectory(name: string): ProcTable {
    return this.addListing(name, KIND_DIRECTORY);
  }

  /** A directory whose entries `kind` finds when they are looked for. */
  addListing(name: string, kind: u32): ProcTable {
    const children = new ProcTable();
    this.append(new ProcEntry(name, kind, 0o555, "", children));
    return children;
  }

  private append(entry: ProcEntry): void {
    const last = this.last;
    if (last) last.next = entry;
    else this.head = entry;
    this.last = entry;
  }
}
