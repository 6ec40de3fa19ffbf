package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** PERCENTILE_CONT, which lies between two values where it must, and PERCENTILE_DISC, which is one of them. */
final class Percentile implements Accumulator {
    private final Place place;
    private final double share;
    private final boolean continuous;
    private final Comparator<Number> order;
    private final List<Number> values = new ArrayList<>();

    Percentile(Place place, double share, boolean continuous, boolean descending) {
        this.place = place;
        this.share = share;
        this.continuous = continuous;
        Comparator<Number> rising = Comparator.comparingDouble(Number::doubleValue);
        order = descending ? rising.reversed() : rising;
    }

    @Override
    public void add(Object sample) {
        values.add(place.number(sample));
    }

    @Override
    public boolean remove(Object sample) {
        return false;
    }

    @Override
    public void merge(Accumulator later) {
        values.addAll(((Percentile) later).values);
    }

    @Override
    public Object result() {
        if (values.isEmpty()) {
            return null;
        }
        values.sort(order);
        if (continuous) {
            double rank = share * (values.size() - 1);
            int below = (int) rank;
            double low = values.get(below).doubleValue();
            double high = values.get(Math.min(below + 1, values.size() - 1)).doubleValue();
            return low + (rank - below) * (high - low);
        }
        int at = 0;
        while (at < values.size() - 1 && (at + 1.0) / values.size() < share) {
            at++;
        }
        return values.get(at);
    }

    @Override
    public void save(StateWriter to) {
        to.each(values, to::value);
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> values.add((Number) from.value()));
    }
}
