package fraudstream.query.windows;

import fraudstream.query.aggregates.Accumulator;
import fraudstream.query.aggregates.Aggregate;
import fraudstream.query.expressions.Scope;
import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import fraudstream.query.values.Key;
import fraudstream.query.values.Record;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;

/** A window of a GROUP BY with its groups. At each moment it is opened, takes the moment's rows, and is closed. */
public abstract class Window implements Stateful {
    final Aggregate[] aggregates;
    private final Record label;

    /** Takes the results of groups. */
    public interface Results {
        void take(Key group, Supplier<Object[]> values, Record label);
    }

    /** {@code label} is what System.Window() gives, or null. */
    Window(Aggregate[] aggregates, Record label) {
        this.aggregates = aggregates;
        this.label = label;
    }

    /** Before the moment's rows. */
    void open(long moment, Results results) {
    }

    /** A row, by its group and its sample for each aggregate. */
    abstract void add(Key group, Object[] samples, Scope row);

    /** After the moment's rows. */
    void close(long moment, Results results) {
    }

    /** The next moment at which the window may have results. */
    abstract long next();

    final void give(Results results, Key group, Supplier<Object[]> values) {
        results.take(group, values, label);
    }

    final void give(Results results, Key group, Accumulator[] states) {
        give(results, group, () -> {
            Object[] values = new Object[states.length];
            Arrays.setAll(values, at -> states[at].result());
            return values;
        });
    }

    final void add(Accumulator[] states, Object[] samples) {
        for (int at = 0; at < states.length; at++) {
            if (samples[at] != null) {
                states[at].add(samples[at]);
            }
        }
    }

    final void save(StateWriter to, Map<Key, Accumulator[]> groups) {
        to.number(groups.size());
        groups.forEach((group, states) -> {
            to.key(group);
            for (Accumulator state : states) {
                state.save(to);
            }
        });
    }

    final void load(StateReader from, Map<Key, Accumulator[]> groups) {
        from.each(() -> {
            Key group = from.key();
            Accumulator[] states = make();
            for (Accumulator state : states) {
                state.load(from);
            }
            groups.put(group, states);
        });
    }

    final Accumulator[] make() {
        Accumulator[] states = new Accumulator[aggregates.length];
        for (int at = 0; at < states.length; at++) {
            states[at] = aggregates[at].make();
        }
        return states;
    }
}
