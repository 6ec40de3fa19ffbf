package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** An aggregate that takes each value once. */
final class Distinct implements Accumulator {
    private final Accumulator inner;
    private final Map<Key, Long> counts = new LinkedHashMap<>();

    Distinct(Supplier<Accumulator> maker) {
        inner = maker.get();
    }

    @Override
    public void add(Object sample) {
        if (counts.merge(new Key(sample), 1L, Long::sum) == 1) {
            inner.add(sample);
        }
    }

    @Override
    public boolean remove(Object sample) {
        Key key = new Key(sample);
        long left = counts.get(key) - 1;
        if (left > 0) {
            counts.put(key, left);
            return true;
        }
        counts.remove(key);
        // The oldest sample of a value that stays has left, if this aggregate keeps an order.
        return inner instanceof Counts && inner.remove(sample);
    }

    @Override
    public void merge(Accumulator later) {
        for (Key key : ((Distinct) later).counts.keySet()) {
            add(key.value(0));
        }
    }

    @Override
    public Object result() {
        return inner.result();
    }

    @Override
    public void save(StateWriter to) {
        to.number(counts.size());
        counts.forEach((key, count) -> {
            to.key(key);
            to.number(count);
        });
        inner.save(to);
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> counts.put(from.key(), from.number()));
        inner.load(from);
    }
}
