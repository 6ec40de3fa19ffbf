package fraudstream.query.operators;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.values.Record;
import java.util.ArrayList;

/** The events of one input. */
public final class Read extends Node<Record> {
    private final ArrayList<Record> coming = new ArrayList<>();

    public Read() {
        super(0);
    }

    /** An event of the moment that comes next. */
    public void add(Record record) {
        coming.add(record);
    }

    @Override
    public void run(long moment) {
        rows.addAll(coming);
        coming.clear();
    }

    @Override
    public void save(StateWriter to) {
        to.each(coming, to::value);
    }

    @Override
    public void load(StateReader from) {
        from.each(() -> coming.add(from.record()));
    }
}
