import java.util.*;
import java.util.concurrent.*;
import java.util.stream.*;

/* Threads, compiled loops, null checks by fault, parallel streams, garbage. */
public class Threads {
	static long sum(int k) {
		long s = 0;
		for (int i = 0; i < 500000; i++)
			s += (i ^ k) % 7;
		return s;
	}

	public static void main(String[] args) throws Exception {
		ExecutorService pool = Executors.newFixedThreadPool(8);
		List<Future<Long>> parts = new ArrayList<>();
		Map<String, Integer> counts = new ConcurrentHashMap<>();
		StringBuilder text = new StringBuilder();
		long all = 0;

		for (int k = 0; k < 32; k++) {
			final int n = k;
			parts.add(pool.submit(() -> sum(n)));
		}
		for (Future<Long> f : parts)
			all += f.get();
		pool.shutdown();
		IntStream.range(0, 100000).parallel().forEach(i -> counts.merge("k" + i % 100, 1, Integer::sum));
		for (int i = 0; i < 1000; i++)
			try {
				Object o = i % 3 == 0 ? null : text;
				all += o.hashCode() == 0 ? 1 : 0;
			} catch (NullPointerException e) {
				all++;
			}
		for (int i = 0; i < 50000; i++)
			text.append(i);
		System.gc();
		System.out.println(all + " " + counts.size() + " " + counts.get("k7") + " " + text.toString().hashCode());
	}
}
