package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Record;
import java.util.ArrayList;
import java.util.List;

/** COLLECTTOP, records {rank, value} of the first rows in an order, and TOPONE, the first row's value. */
final class Ranked implements Accumulator {
    private final Ordered order;
    private final int most;
    private final boolean one;
    private final List<Ordered.Sample> first = new ArrayList<>();

    /** The first {@code most} rows, or the value of the first one if {@code one}. */
    Ranked(Ordered order, int most, boolean one) {
        this.order = order;
        this.most = most;
        this.one = one;
    }

    @Override
    public void add(Object sample) {
        Ordered.Sample row = (Ordered.Sample) sample;
        int at = placeOf(row);
        if (at < most) {
            first.add(at, row);
            if (first.size() > most) {
                first.remove(most);
            }
        }
    }

    /** The place behind all rows that come first or with it. */
    private int placeOf(Ordered.Sample row) {
        int from = 0;
        int until = first.size();
        while (from < until) {
            int middle = (from + until) >>> 1;
            if (order.compare(row, first.get(middle)) < 0) {
                until = middle;
            } else {
                from = middle + 1;
            }
        }
        return from;
    }

    @Override
    public boolean remove(Object sample) {
        for (Ordered.Sample row : first) {
            if (row == sample) {
                return false;
            }
        }
        return true;
    }

    @Override
    public void merge(Accumulator later) {
        ((Ranked) later).first.forEach(this::add);
    }

    @Override
    public Object result() {
        if (first.isEmpty()) {
            return null;
        }
        if (one) {
            return first.get(0).value();
        }
        List<Object> ranked = new ArrayList<>(first.size());
        for (int at = 0; at < first.size(); at++) {
            Record record = new Record(2);
            record.add("rank", at + 1L);
            record.add("value", first.get(at).value());
            ranked.add(record);
        }
        return ranked;
    }

    @Override
    public void save(StateWriter to) {
        to.each(first, row -> Ordered.save(to, row));
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> first.add((Ordered.Sample) Ordered.load(from)));
    }
}
