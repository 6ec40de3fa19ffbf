package fraudstream.query.windows;

import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.aggregates.Moving;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** A sliding window: a result of a group at each moment when rows come to it or leave it, unless none is left. */
final class Sliding extends Window {
    private final long size;
    private final Map<Key, Moving> groups = new HashMap<>();
    private final ArrayDeque<Exit> exits = new ArrayDeque<>();
    private final Set<Key> changed = new LinkedHashSet<>();

    private record Exit(long time, Key group) {
    }

    Sliding(Aggregate[] aggregates, Record label, long size) {
        super(aggregates, label);
        this.size = size;
    }

    @Override
    void open(long moment, Results results) {
        while (!exits.isEmpty() && exits.peek().time <= moment) {
            Key group = exits.poll().group;
            groups.get(group).forget(moment - size);
            changed.add(group);
        }
    }

    @Override
    void add(Key group, Object[] samples, Scope row) {
        Moving rows = groups.get(group);
        if (rows == null) {
            rows = new Moving(aggregates);
            groups.put(group, rows);
        }
        if (rows.isEmpty() || rows.last() != row.time) {
            exits.add(new Exit(row.time + size, group));
        }
        rows.add(row.time, samples);
        changed.add(group);
    }

    @Override
    void close(long moment, Results results) {
        for (Key group : changed) {
            Moving rows = groups.get(group);
            if (rows.isEmpty()) {
                groups.remove(group);
            } else {
                give(results, group, rows::results);
            }
        }
        changed.clear();
    }

    @Override
    long next() {
        return exits.isEmpty() ? Long.MAX_VALUE : exits.peek().time;
    }

    @Override
    public void save(StateWriter to) {
        to.number(groups.size());
        groups.forEach((group, rows) -> {
            to.key(group);
            rows.save(to);
        });
        to.each(exits, exit -> {
            to.number(exit.time);
            to.key(exit.group);
        });
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> {
            Key group = from.key();
            Moving rows = new Moving(aggregates);
            rows.load(from);
            groups.put(group, rows);
        });
        from.each(() -> exits.add(new Exit(from.number(), from.key())));
    }
}
