package fraudstream.query.operators;

import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Record;
import java.util.Arrays;

/** Rows of several sources that were joined, with what was computed for the first. */
public final class Joined {
    final Record[] records;
    final long[] times;
    final long time;
    final Object[] analytics;

    private Joined(Record[] records, long[] times, long time, Object[] analytics) {
        this.records = records;
        this.times = times;
        this.time = time;
        this.analytics = analytics;
    }

    /** What stands in the scope now. */
    static Joined of(Scope scope) {
        return new Joined(
            Arrays.copyOf(scope.rows, scope.rows.length), Arrays.copyOf(scope.times, scope.times.length), scope.time,
            scope.analytics
        );
    }

    void restore(Scope scope) {
        System.arraycopy(records, 0, scope.rows, 0, records.length);
        System.arraycopy(times, 0, scope.times, 0, times.length);
        scope.time = time;
        scope.analytics = analytics;
        scope.applied = 0;
    }

    /** Writes what nodes hand on: one of these, or the record of a step. */
    static void save(StateWriter to, Object row) {
        to.flag(row instanceof Joined);
        if (row instanceof Joined joined) {
            to.values(joined.records);
            for (long time : joined.times) {
                to.number(time);
            }
            to.number(joined.time);
            to.flag(joined.analytics != null);
            if (joined.analytics != null) {
                to.values(joined.analytics);
            }
        } else {
            to.value(row);
        }
    }

    @SuppressWarnings("unchecked")
    static <T> T load(StateReader from) {
        if (!from.flag()) {
            return (T) from.value();
        }
        Object[] values = from.values();
        Record[] records = Arrays.copyOf(values, values.length, Record[].class);
        long[] times = new long[records.length];
        for (int at = 0; at < times.length; at++) {
            times[at] = from.number();
        }
        long time = from.number();
        return (T) new Joined(records, times, time, from.flag() ? from.values() : null);
    }
}
