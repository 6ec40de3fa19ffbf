package fraudstream.query.engine;

import fraudstream.query.values.Record;

/** Takes a query's results. */
public interface Output {
    /** A row of an output, by the name after INTO, and its time in ticks. */
    void take(String output, long ticks, Record row);
}
