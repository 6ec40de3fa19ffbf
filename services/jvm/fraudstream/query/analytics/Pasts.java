package fraudstream.query.analytics;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import java.util.ArrayDeque;

/** Values of a key's earlier rows with their times, the oldest one first. */
class Pasts implements Analytic.State {
    final ArrayDeque<Past> rows = new ArrayDeque<>();

    record Past(long time, Object value) {
    }

    @Override
    public boolean isOver(long time) {
        return rows.isEmpty() || rows.getLast().time <= time;
    }

    @Override
    public void save(StateWriter to) {
        to.each(rows, row -> {
            to.number(row.time);
            to.value(row.value);
        });
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> rows.add(new Past(from.number(), from.value())));
    }
}
