package fraudstream.query.windows;

import fraudstream.query.aggregates.Accumulator;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * Tumbling and hopping windows (end - size, end], one for each hop. Snapshots are tumbling windows of one tick: rows of
 * equal times.
 */
final class Hopping extends Window {
    // Of fewer windows that a row lies in, each has its own states; of more, the states of each hop are put together.
    private static final int MANY = 6;

    private final long size;
    private final long hop;
    private final Alignment ends;
    private final boolean inParts;
    /** The groups of windows by their ends, or of hops by theirs. */
    private final TreeMap<Long, Map<Key, Accumulator[]>> open = new TreeMap<>();
    private long nextEnd = Long.MAX_VALUE;
    // The window of the row before this one, which most rows of a tumbling window share.
    private long latestEnd = Long.MIN_VALUE;
    private Map<Key, Accumulator[]> latest;

    Hopping(Aggregate[] aggregates, Record label, long size, long hop, long offset) {
        super(aggregates, label);
        this.size = size;
        this.hop = hop;
        ends = new Alignment(hop, offset);
        boolean merge = true;
        for (Aggregate aggregate : aggregates) {
            merge &= aggregate.merges();
        }
        inParts = merge && size % hop == 0 && size / hop >= MANY;
    }

    @Override
    void add(Key group, Object[] samples, Scope row) {
        long end = ends.endOf(row.time);
        if (inParts) {
            add(states(end, group), samples);
            nextEnd = Math.min(nextEnd, end);
            return;
        }
        for (; end - size < row.time; end += hop) {
            add(states(end, group), samples);
            nextEnd = Math.min(nextEnd, end);
        }
    }

    private Accumulator[] states(long end, Key group) {
        if (end != latestEnd) {
            latest = open.computeIfAbsent(end, one -> new LinkedHashMap<>());
            latestEnd = end;
        }
        Accumulator[] states = latest.get(group);
        if (states == null) {
            states = make();
            latest.put(group, states);
        }
        return states;
    }

    @Override
    void close(long moment, Results results) {
        while (nextEnd <= moment) {
            long end = nextEnd;
            Map<Key, Accumulator[]> groups = inParts ? together(end) : open.remove(end);
            latestEnd = Long.MIN_VALUE;
            nextEnd = open.isEmpty() ? Long.MAX_VALUE : inParts ? end + hop : open.firstKey();
            if (groups != null) {
                groups.forEach((group, states) -> give(results, group, states));
            }
        }
    }

    private Map<Key, Accumulator[]> together(long end) {
        Map<Key, Accumulator[]> groups = new LinkedHashMap<>();
        for (Map<Key, Accumulator[]> part : open.headMap(end, true).values()) {
            part.forEach((group, states) -> {
                Accumulator[] all = groups.computeIfAbsent(group, one -> make());
                for (int at = 0; at < all.length; at++) {
                    all[at].merge(states[at]);
                }
            });
        }
        // No later window holds rows of the first hop.
        open.headMap(end - size + hop, true).clear();
        return groups;
    }

    @Override
    long next() {
        return nextEnd;
    }

    @Override
    public void save(StateWriter to) {
        to.number(nextEnd);
        to.number(open.size());
        open.forEach((end, groups) -> {
            to.number(end);
            save(to, groups);
        });
    }

    @Override
    public void load(StateReader from) {
        nextEnd = from.number();
        from.each(() -> load(from, open.computeIfAbsent(from.number(), end -> new LinkedHashMap<>())));
    }
}
