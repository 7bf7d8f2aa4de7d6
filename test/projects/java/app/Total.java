package app;

import java.util.List;
import java.util.function.ToDoubleFunction;

/** A sum over a list. */
class Total<T> {
  private final List<T> items;

  Total(List<T> items) {
    this.items = items;
  }

  double sum(ToDoubleFunction<? super T> value) {
    return items.stream().mapToDouble(value).sum();
  }
}
