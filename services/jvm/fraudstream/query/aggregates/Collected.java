package fraudstream.query.aggregates;

import java.util.ArrayList;

/** COLLECT: the values in the order in which they came. */
final class Collected extends Queue {
    @Override
    public void add(Object sample) {
        samples.add(sample);
    }

    @Override
    public boolean remove(Object sample) {
        samples.poll();
        return true;
    }

    @Override
    public void merge(Accumulator later) {
        samples.addAll(((Collected) later).samples);
    }

    @Override
    public Object result() {
        return samples.isEmpty() ? null : new ArrayList<>(samples);
    }
}
