/**
 * Writes the kernel command line, the only way in which capstan tells the guest what to do. The
 * kernel's reader is `kernel/linux/init.ts`; the format is described in `docs/guest-protocol.md`.
 *
 *     root=/dev/vda cwd=/home/x env=HOME=/root console=ports -- /bin/echo a%20b
 *     `----------------- options -----------------------'    `-- program --'
 *
 * Words are separated by single spaces. Inside a word, every byte that is a space, a control
 * character, not ASCII, a quotation mark or a percent sign is written as %XX.
 */

/** What the guest uses as the program's standard input and output. */
export type GuestConsole = "serial" | "hvc" | "ports";

/** What the guest is told. */
export interface GuestConfiguration {
  readonly console: GuestConsole;
  /** Whether `executable` names a program linked with the kernel. */
  readonly isAppliance?: boolean;
  /** Absolute guest path to execute. */
  readonly executable: string;
  /** The program's argv[0]. */
  readonly argv0: string;
  /** The program's argv[1] and on. */
  readonly args: readonly string[];
  /** Absolute guest directory to start in. */
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whom the program runs as; absent: root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Whether the kernel writes its log to the serial port. */
  readonly verbose: boolean;
  /** Numbers of the system calls to trace, as `0-3,257`; "" for all; undefined for no trace. */
  readonly trace?: string;
  /** What `root=` names; absent: the first disk. */
  readonly root?: string;
  /** Host's wall clock, in nanoseconds since 1970: microvm may have no clock chip. */
  readonly epochNs?: bigint;
  /** 32 random bytes for the guest's generator. */
  readonly entropy?: Buffer;
  /** Whether the control channel shares the serial port, because there is no other. */
  readonly controlOnSerial?: boolean;
  /** Whether the machine has a stream `signals`, by which the host sends signals. */
  readonly takesSignals?: boolean;
  /** Network address, prefix length and gateway as `ip=` takes them; absent: DHCP. */
  readonly ip?: string;
  /** Size of the terminal in characters, when there is one. */
  readonly terminal?: { readonly rows: number; readonly columns: number };
}

/** A longer command line travels as the initial RAM disk (PVH module 0) instead. */
export const commandLineLimitBytes = 2000;

/** The command line that tells the kernel to read its configuration from the RAM disk. */
export const configurationInInitrd = "config=initrd";

/** The whole configuration as one line of text; its length is not limited. */
export function encodeConfiguration(configuration: GuestConfiguration): string {
  const { argv0, executable, terminal, epochNs, entropy, trace, user } = configuration;
  const options = [
    `root=${configuration.root ?? "/dev/vda"}`,
    `console=${configuration.console}`,
    ...(epochNs === undefined ? [] : [`epoch=${encodeTime(epochNs)}`]),
    ...(entropy === undefined ? [] : [`entropy=${entropy.toString("hex")}`]),
    ...(configuration.verbose ? ["verbose"] : []),
    ...(trace === undefined ? [] : [trace === "" ? "trace" : `trace=${encodeWord(trace)}`]),
    ...(terminal ? [`rows=${terminal.rows}`, `cols=${terminal.columns}`] : []),
    ...(configuration.ip === undefined ? [] : [`ip=${encodeWord(configuration.ip)}`]),
    ...(configuration.isAppliance === true ? ["appliance"] : []),
    ...(configuration.controlOnSerial === true ? ["control=serial"] : []),
    ...(configuration.takesSignals === true ? ["signals=port"] : []),
    `cwd=${encodeWord(configuration.cwd)}`,
    ...(user === undefined || (user.uid === 0 && user.gid === 0)
      ? []
      : [`user=${user.uid}:${user.gid}`]),
    ...(argv0 === executable ? [] : [`argv0=${encodeWord(argv0)}`]),
    ...Object.entries(configuration.env).map(([name, value]) => {
      return `env=${encodeWord(`${name}=${value}`)}`;
    }),
  ];
  const program = [executable, ...configuration.args].map(encodeArgument);
  return [...options, "--", ...program].join(" ");
}

/** Nanoseconds as seconds with nine decimals. */
function encodeTime(timeNs: bigint): string {
  return `${timeNs / 1_000_000_000n}.${String(timeNs % 1_000_000_000n).padStart(9, "0")}`;
}

/**
 * Percent-encodes one word. The text is written as UTF-8; the result is printable ASCII without
 * spaces, and is empty only for the empty text.
 */
export function encodeWord(text: string): string {
  let word = "";
  for (const byte of Buffer.from(text, "utf8")) {
    const isPlain = byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x25;
    word += isPlain
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).padStart(2, "0").toUpperCase()}`;
  }
  return word;
}

/** The text of an encoded word. */
export function decodeWord(word: string): string {
  const bytes = word.replace(/%([0-9A-F]{2})/gi, (_, hex: string) => {
    return String.fromCharCode(Number.parseInt(hex, 16));
  });
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/**
 * Encodes a word that stands after `--`. The microvm machine appends `virtio_mmio.device=` words
 * of its own to the line, which the kernel takes away; an argument that looks like one is made
 * different. The empty argument is the empty word between two spaces.
 */
export function encodeArgument(text: string): string {
  return encodeWord(text).replace(/^virtio_mmio\./, "%76irtio_mmio.");
}
