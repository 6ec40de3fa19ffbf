package fraudstream.query.expressions;

import fraudstream.query.values.Record;

/** What expressions see: the row, or the joined rows, and the values that operators computed for them. */
public final class Scope {
    /** The rows by source; null for the missing side of a left join. */
    public final Record[] rows;
    /** The rows' times in ticks, by source. */
    public final long[] times;
    /** The time of the result in ticks. */
    public long time;
    public Object[] analytics;
    public Object[] keys;
    public Object[] aggregates;
    /** System.Window(): the record with the field Id, or null. */
    public Object window;
    /** How many rows APPLY has made of the present one. */
    public int applied;

    public Scope(int sources) {
        rows = new Record[sources];
        times = new long[sources];
    }
}
