package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;
import java.util.ArrayDeque;

/** Aggregates over the rows of the last so many ticks. Each row's samples are kept until it leaves. */
public final class Moving implements Stateful {
    private final Aggregate[] aggregates;
    private final Accumulator[] states;
    private final boolean[] stale;
    private final ArrayDeque<Samples> held = new ArrayDeque<>();

    private record Samples(long time, Object[] values) {
    }

    public Moving(Aggregate[] aggregates) {
        this.aggregates = aggregates;
        states = new Accumulator[aggregates.length];
        stale = new boolean[aggregates.length];
        for (int at = 0; at < states.length; at++) {
            states[at] = aggregates[at].makeMoving();
        }
    }

    public boolean isEmpty() {
        return held.isEmpty();
    }

    /** The time of the row that came last. */
    public long last() {
        return held.getLast().time;
    }

    public void add(long time, Object[] samples) {
        held.add(new Samples(time, samples));
        for (int at = 0; at < states.length; at++) {
            if (samples[at] != null && !stale[at]) {
                states[at].add(samples[at]);
            }
        }
    }

    /** Takes away all rows of this time and earlier ones; answers whether there were any. */
    public boolean forget(long time) {
        boolean any = false;
        while (!held.isEmpty() && held.peek().time <= time) {
            Object[] samples = held.poll().values;
            any = true;
            for (int at = 0; at < states.length; at++) {
                if (samples[at] != null && !stale[at]) {
                    stale[at] = !states[at].remove(samples[at]);
                }
            }
        }
        return any;
    }

    public Object[] results() {
        Object[] results = new Object[states.length];
        for (int at = 0; at < results.length; at++) {
            if (stale[at]) {
                build(at);
            }
            results[at] = states[at].result();
        }
        return results;
    }

    private void build(int at) {
        Accumulator state = aggregates[at].makeMoving();
        for (Samples samples : held) {
            if (samples.values[at] != null) {
                state.add(samples.values[at]);
            }
        }
        states[at] = state;
        stale[at] = false;
    }

    @Override
    public void save(StateWriter to) {
        to.each(held, samples -> {
            to.number(samples.time);
            for (Object sample : samples.values) {
                Ordered.save(to, sample);
            }
        });
        for (int at = 0; at < states.length; at++) {
            to.flag(stale[at]);
            if (states[at] instanceof Sums) {
                states[at].save(to);
            }
        }
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> {
            long time = from.number();
            Object[] samples = new Object[states.length];
            for (int at = 0; at < samples.length; at++) {
                samples[at] = Ordered.load(from);
            }
            add(time, samples);
        });
        for (int at = 0; at < states.length; at++) {
            stale[at] = from.flag();
            // The last digit of a sum depends on what has left it.
            if (states[at] instanceof Sums) {
                states[at].load(from);
            }
        }
    }
}
