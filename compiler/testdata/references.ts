/** References in every form that the library compiles wrongly for 64 bits without our patches. */
class Animal {
  next: Animal | null = null;
  sound(): i32 {
    return 11;
  }
}

class Dog extends Animal {
  sound(): i32 {
    return 22;
  }
}

const animal = new Animal();
const dog = new Dog();
animal.next = dog;

function pick(which: i32): Animal | null {
  return which == 0 ? animal : which == 1 ? dog : null;
}

export function next(which: i32): i32 {
  return pick(which)!.next!.sound();
}

export function kind(which: i32): i32 {
  const found = pick(which);
  if (found instanceof Dog) return 2;
  return found ? 1 : 0;
}

export function cast(which: i32): i32 {
  return (pick(which) as Dog).sound();
}
