/**
 * Extended attributes of a file in memory (xattr(7)): a short list of names with values, made when
 * the first one is set.
 *
 * The name spaces are those that Linux 6.6 keeps on tmpfs: "user.", "trusted." and "security.".
 * Lock: `TmpfsFileSystem.attributesLock`. Neighbour: `node`, the owner.
 */
import { startsWithLiteral } from "../../lib/bytes";
import { EEXIST, EINVAL, ENODATA, ENOSPC, EOPNOTSUPP, ERANGE } from "../../lib/errno";
import { List } from "../../lib/list";
import { free } from "../../lib/object";
import { heapAllocate, heapFree } from "../../mm/heap";
import { kernelMemoryIsShort } from "../page-cache";

/** Only make a new attribute. */
const XATTR_CREATE: u32 = 1;
/** Only change one that exists. */
const XATTR_REPLACE: u32 = 2;

/** One attribute; `bytes` holds the name, its zero and the value. */
class Attribute {
  next: usize = 0;
  previous: usize = 0;

  constructor(
    readonly bytes: usize,
    readonly nameLength: usize,
    readonly valueLength: usize,
  ) {}

  get value(): usize {
    return this.bytes + this.nameLength + 1;
  }

  dispose(): void {
    heapFree(this.bytes);
    free(this);
  }
}

/** 0 if files in memory keep attributes of that name, else -EOPNOTSUPP or -EINVAL. */
export function checkAttributeName(name: usize, nameLength: usize): i64 {
  const prefixLength: usize = startsWithLiteral(name, nameLength, "user.")
    ? 5
    : startsWithLiteral(name, nameLength, "trusted.")
      ? 8
      : startsWithLiteral(name, nameLength, "security.")
        ? 9
        : 0;
  if (prefixLength == 0) return -EOPNOTSUPP;
  return nameLength == prefixLength ? -EINVAL : 0;
}

/** The attributes of one file. */
export class AttributeSet {
  private attributes: List<Attribute> = new List<Attribute>(offsetof<Attribute>("next"));

  private find(name: usize, nameLength: usize): Attribute | null {
    let at = this.attributes.first;
    while (at) {
      if (at.nameLength == nameLength && memory.compare(at.bytes, name, nameLength) == 0) return at;
      at = this.attributes.next(at);
    }
    return null;
  }

  /** Copies a value; its length (also for capacity 0, which copies nothing), -ENODATA or -ERANGE. */
  get(name: usize, nameLength: usize, buffer: usize, capacity: usize): i64 {
    const found = this.find(name, nameLength);
    if (!found) return -ENODATA;
    if (capacity != 0) {
      if (capacity < found.valueLength) return -ERANGE;
      memory.copy(buffer, found.value, found.valueLength);
    }
    return found.valueLength;
  }

  /** Copies all names, each with its zero; their length (also for capacity 0) or -ERANGE. */
  names(buffer: usize, capacity: usize): i64 {
    let length: usize = 0;
    let at = this.attributes.first;
    while (at) {
      const end = length + at.nameLength + 1;
      if (capacity != 0) {
        if (end > capacity) return -ERANGE;
        memory.copy(buffer + length, at.bytes, at.nameLength + 1);
      }
      length = end;
      at = this.attributes.next(at);
    }
    return length;
  }

  /** Sets a value; 0, -EEXIST, -ENODATA (by the flags) or -ENOSPC. */
  set(name: usize, nameLength: usize, value: usize, valueLength: usize, flags: u32): i64 {
    const old = this.find(name, nameLength);
    if (old && (flags & XATTR_CREATE) != 0) return -EEXIST;
    if (!old && (flags & XATTR_REPLACE) != 0) return -ENODATA;
    const bytes = kernelMemoryIsShort() ? 0 : heapAllocate(nameLength + 1 + valueLength);
    if (bytes == 0) return -ENOSPC;
    memory.copy(bytes, name, nameLength);
    store<u8>(bytes + nameLength, 0);
    const made = new Attribute(bytes, nameLength, valueLength);
    memory.copy(made.value, value, valueLength);
    if (old) {
      this.attributes.insertBefore(made, old);
      this.drop(old);
    } else this.attributes.pushBack(made);
    return 0;
  }

  /** Removes an attribute; 0 or -ENODATA. */
  remove(name: usize, nameLength: usize): i64 {
    const found = this.find(name, nameLength);
    if (!found) return -ENODATA;
    this.drop(found);
    return 0;
  }

  private drop(attribute: Attribute): void {
    this.attributes.remove(attribute);
    attribute.dispose();
  }

  dispose(): void {
    let at = this.attributes.popFront();
    while (at) {
      at.dispose();
      at = this.attributes.popFront();
    }
    free(this.attributes);
    free(this);
  }
}
