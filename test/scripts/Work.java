import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

/** Threads, parallel streams and a heap that is filled many times over. */
public class Work {
  static long chew(int seed) {
    Random random = new Random(seed);
    Deque<byte[]> kept = new ArrayDeque<>();
    long sum = 0;
    for (int i = 0; i < 400; i++) {
      byte[] block = new byte[8_000 + random.nextInt(8_000)];
      block[i % block.length] = (byte) i;
      kept.add(block);
      if (kept.size() > 20) sum += kept.poll().length;
    }
    return sum;
  }

  public static void main(String[] args) throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(50);
    List<Future<Long>> answers = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      final int seed = i;
      answers.add(pool.submit(() -> chew(seed)));
    }
    long total = 0;
    for (Future<Long> answer : answers) total += answer.get();
    pool.shutdown();
    System.out.println("threads " + total);
    System.out.println("stream " + IntStream.range(0, 200_000).parallel().mapToLong(n -> (long) n * n % 97).sum());
    try {
      List<byte[]> all = new ArrayList<>();
      while (true) all.add(new byte[1 << 20]);
    } catch (OutOfMemoryError error) {
      System.out.println("heap full");
    }
    System.gc();
    int[] none = null;
    try {
      System.out.println(none[0]);
    } catch (NullPointerException error) {
      System.out.println("null");
    }
    System.out.println("again " + chew(1));
  }
}
