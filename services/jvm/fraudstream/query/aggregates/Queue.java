package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import java.util.ArrayDeque;

/** A state that consists of samples, the oldest one first. */
abstract class Queue implements Accumulator {
    final ArrayDeque<Object> samples = new ArrayDeque<>();

    @Override
    public void save(StateWriter to) {
        to.each(samples, to::value);
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> samples.add(from.value()));
    }
}
