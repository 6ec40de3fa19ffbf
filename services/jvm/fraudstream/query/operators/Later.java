package fraudstream.query.operators;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Rows that have a time before they are known, such as those of a left join without a match, in the order of times. */
public final class Later<T> extends Node<T> {
    private final TreeMap<Long, List<T>> waiting = new TreeMap<>();

    public Later(long skew) {
        super(skew);
    }

    public void add(long time, T row) {
        waiting.computeIfAbsent(time, one -> new ArrayList<>()).add(row);
    }

    @Override
    public void run(long moment) {
        Map.Entry<Long, List<T>> first = waiting.firstEntry();
        if (first != null && first.getKey() <= moment) {
            rows.addAll(waiting.pollFirstEntry().getValue());
        }
    }

    @Override
    public long next() {
        return waiting.isEmpty() ? NEVER : waiting.firstKey();
    }

    @Override
    public void save(StateWriter to) {
        to.number(waiting.size());
        waiting.forEach((time, some) -> {
            to.number(time);
            to.each(some, row -> Joined.save(to, row));
        });
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> {
            long time = from.number();
            from.each(() -> add(time, Joined.load(from)));
        });
    }
}
