package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Casts;
import fraudstream.query.values.Moments;
import fraudstream.query.values.Values;
import java.util.Comparator;

/** MIN and MAX. */
final class Extremes implements Accumulator {
    private final Comparator<Object> order;
    private Object best;

    /** The largest value in an order. */
    Extremes(Comparator<Object> order) {
        this.order = order;
    }

    /** Texts of events are taken as numbers; those that are moments may stay. */
    static Object sample(Object value, Place place) {
        if (!(value instanceof String text)) {
            return value;
        }
        Object number = Casts.tried(text, "float");
        if (number == null && Moments.read(text) != null) {
            return text;
        }
        if (number == null) {
            throw place.stopped(
                place.name() + " takes the texts of events as numbers, and " + Values.shown(text)
                    + " is none. CAST it AS nvarchar(max) to compare texts."
            );
        }
        return number;
    }

    /** Values by their order, texts of events by the moments that they are. */
    static int byMoments(Object left, Object right) {
        return left instanceof String && right instanceof String
            ? Moments.read((String) left).compareTo(Moments.read((String) right)) : Values.compare(left, right);
    }

    @Override
    public void add(Object sample) {
        if (best == null || order.compare(sample, best) > 0) {
            best = sample;
        }
    }

    @Override
    public Object result() {
        return best;
    }

    @Override
    public boolean remove(Object sample) {
        return sample != best && order.compare(sample, best) != 0;
    }

    @Override
    public void merge(Accumulator later) {
        Object other = ((Extremes) later).best;
        if (other != null) {
            add(other);
        }
    }

    @Override
    public void save(StateWriter to) {
        to.value(best);
    }

    @Override
    public void load(StateReader from) {
        best = from.value();
    }

    /** The same where the oldest samples leave: of the samples, those that are better than all later ones. */
    static final class Moving extends Queue {
        private final Comparator<Object> order;

        Moving(Comparator<Object> order) {
            this.order = order;
        }

        @Override
        public void add(Object sample) {
            while (!samples.isEmpty() && order.compare(sample, samples.getLast()) > 0) {
                samples.removeLast();
            }
            samples.add(sample);
        }

        @Override
        public boolean remove(Object sample) {
            if (samples.peek() == sample) {
                samples.poll();
            }
            return true;
        }

        @Override
        public void merge(Accumulator later) {
            ((Moving) later).samples.forEach(this::add);
        }

        @Override
        public Object result() {
            return samples.peek();
        }
    }
}
