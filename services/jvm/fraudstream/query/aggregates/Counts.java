package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;

/** COUNT. */
final class Counts implements Accumulator {
    private long count;

    @Override
    public void add(Object sample) {
        count++;
    }

    @Override
    public boolean remove(Object sample) {
        count--;
        return true;
    }

    @Override
    public void merge(Accumulator later) {
        count += ((Counts) later).count;
    }

    @Override
    public Object result() {
        return count;
    }

    @Override
    public void save(StateWriter to) {
        to.number(count);
    }

    @Override
    public void load(StateReader from) {
        count = from.number();
    }
}
