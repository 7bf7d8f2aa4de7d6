/**
 * C identifiers for names of the source: readable, unique, never a keyword or a name of the runtime
 * headers.
 *
 *     kernel/sched/thread/Thread#wake      sched_thread_Thread_wake
 *     ~lib/staticarray/StaticArray<u8>#__get   lib_staticarray_StaticArray_u8___get
 *
 * Neighbour: `module.ts` names functions and globals, `function.ts` locals.
 */

const RESERVED = new Set(
  (
    "auto break case char const continue default do double else enum extern float for goto if " +
    "inline int long register restrict return short signed sizeof static struct switch typedef " +
    "union unsigned void volatile while asm typeof linux unix main " +
    "u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 u128 m8 m16 m32 m64 a8 a16 a32 a64 " +
    "M8 M16 M32 M64 HW memcpy memmove memset memcmp"
  ).split(" "),
);
/** Prefixes and shapes of names that the generated code makes up itself. */
const OWN = /^(w_|hw_|g_|asm_|sym_|W_|A_|__|[tL]\d+$)/;

/** Turns any text into an identifier. */
export function identifier(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_]+/g, "_").replace(/^_+(?=[A-Za-z])|_+$/g, "");
  const named = /^[A-Za-z_]/.test(plain) ? plain : `v${plain}`;
  return RESERVED.has(named) || OWN.test(named) ? `${named}_` : named;
}

/** Shortens what every name would start with. */
function withoutRoot(name: string): string {
  return name.replace(/^(\.\.\/)+|(^|[<,])(kernel\/|~lib\/)/g, (match, _up, before?: string) =>
    match.includes("~lib") ? `${before ?? ""}lib/` : (before ?? ""),
  );
}

/** Gives out identifiers, each once; a taken one gets a number. */
export class NameSpace {
  readonly #taken = new Set<string>();

  /** Identifier of a function or global. */
  global(name: string): string {
    return this.#unique(identifier(withoutRoot(name)));
  }

  /** Identifier of a local variable. */
  local(name: string): string {
    return this.#unique(identifier(name));
  }

  #unique(wanted: string): string {
    let result = wanted;
    for (let i = 2; this.#taken.has(result); i++) result = `${wanted}_${i}`;
    this.#taken.add(result);
    return result;
  }
}
