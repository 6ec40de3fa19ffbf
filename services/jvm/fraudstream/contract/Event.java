package fraudstream.contract;

import org.apache.spark.unsafe.types.UTF8String;

/** The result of reading one record: a valid event, or the reason why the record holds none. */
public final class Event {
    final long[] integers;
    final double[] numbers;
    final UTF8String[] texts;
    /** The code of each text that comes from a list: its place in that list. */
    final int[] codes;
    final boolean[] present;
    long eventSeconds;
    int prediction = -1;
    String enqueuedAt;
    private String reason;
    private String field;

    Event(int fields) {
        integers = new long[fields];
        numbers = new double[fields];
        texts = new UTF8String[fields];
        codes = new int[fields];
        present = new boolean[fields];
    }

    /** An event that was refused elsewhere: {@code reason} starts with {@code field}. */
    public static Event refused(String field, String reason) {
        Event event = new Event(0);
        event.field = field;
        event.reason = reason;
        return event;
    }

    /** What went wrong with this record alone, which must not keep the others from being scored. */
    public static Event failed(Throwable error) {
        Event event = new Event(Contract.CURRENT.fields.length);
        return event.reject("cannot be scored", error.getClass().getSimpleName() + ": " + error.getMessage());
    }

    Event reject(String name, String explanation) {
        field = name;
        reason = name + ": " + explanation;
        return this;
    }

    /** Null for a valid event, else a text that starts with the name in {@link #field}. */
    public String reason() {
        return reason;
    }

    /** The field that the reason names, or what stands for the whole record; null for a valid event. */
    public String field() {
        return field;
    }

    /** The event's time in seconds since 1970 in UTC. */
    public long eventSeconds() {
        return eventSeconds;
    }

    /** The decision that a record of {@code scored} carries: 1 for an alert, else 0; -1 where there is none. */
    public int prediction() {
        return prediction;
    }

    /** When the broker took the event, as a record of {@code scored} carries it; null where there is none. */
    public String enqueuedAt() {
        return enqueuedAt;
    }

    /** The id of a valid event. */
    public long id() {
        return integers[Contract.CURRENT.idPosition];
    }

    /** The value of the field at a position as Spark holds it: a long, a double or a text, null where it is absent. */
    public Object value(int position) {
        if (!present[position]) {
            return null;
        }
        Contract.Kind kind = Contract.CURRENT.fields[position].kind;
        if (kind == Contract.Kind.INTEGER) {
            return integers[position];
        }
        return kind == Contract.Kind.NUMBER ? numbers[position] : texts[position];
    }

    /** The model's inputs in the contract's order, categories as their codes. */
    public double[] features() {
        int[] positions = Contract.CURRENT.features;
        double[] row = new double[positions.length];
        for (int feature = 0; feature < row.length; feature++) {
            int position = positions[feature];
            Contract.Kind kind = Contract.CURRENT.fields[position].kind;
            if (kind == Contract.Kind.NUMBER) {
                row[feature] = numbers[position];
            } else {
                row[feature] = kind == Contract.Kind.INTEGER ? integers[position] : codes[position];
            }
        }
        return row;
    }
}
