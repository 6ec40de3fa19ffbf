package fraudstream.contract;

import org.apache.spark.unsafe.types.UTF8String;

/** The result of reading one record: a valid event, or the reason why the record holds none. */
public final class Event {
    private static final Object[] TRUTHS = {false, true};

    private final Contract contract;
    /** Of each scalar: an integer, a double's bits, 1 for true, or the code of a text, which is -1 for unlisted ones. */
    final long[] numbers;
    final UTF8String[] texts;
    final boolean[] present;
    long micros;
    int prediction = -1;
    String enqueuedAt;
    private String reason;
    private String field;

    Event(Contract contract, int slots) {
        this.contract = contract;
        numbers = new long[slots];
        texts = new UTF8String[slots];
        present = new boolean[slots];
    }

    /** An event that was refused elsewhere: {@code reason} starts with {@code field}. */
    public static Event refused(String field, String reason) {
        Event event = new Event(null, 0);
        event.field = field;
        event.reason = reason;
        return event;
    }

    /** What went wrong with this record alone, which must not keep the others from being scored. */
    public static Event failed(Contract contract, Throwable error) {
        Event event = new Event(contract, contract.slots.length);
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

    /** The event's time in microseconds since 1970 in UTC. */
    public long micros() {
        return micros;
    }

    /** The decision that a record of {@code scored} carries: 1 for an alert, else 0; -1 where there is none. */
    public int prediction() {
        return prediction;
    }

    /** When the broker took the event, as a record of {@code scored} carries it; null where there is none. */
    public String enqueuedAt() {
        return enqueuedAt;
    }

    /** The text that a valid event's records are kept together by. */
    public String key() {
        Object key = value(contract.key);
        return String.valueOf(key == null ? value(contract.id) : key);
    }

    /** The value of a scalar as Spark holds it: a long, a double, a boolean or a text; null where it is absent. */
    public Object value(int slot) {
        if (!present[slot]) {
            return null;
        }
        return switch (contract.slots[slot].kind) {
            case INT -> numbers[slot];
            case FLOAT -> Double.longBitsToDouble(numbers[slot]);
            case BOOL -> TRUTHS[(int) numbers[slot]];
            default -> texts[slot];
        };
    }

    /** A number as a double; NaN where it is absent, and for a text that is not listed. */
    public double number(int slot) {
        if (!present[slot]) {
            return Double.NaN;
        }
        long number = numbers[slot];
        return switch (contract.slots[slot].kind) {
            case FLOAT -> Double.longBitsToDouble(number);
            case TEXT -> number < 0 ? Double.NaN : number;
            default -> number;
        };
    }

    /** The model's inputs in the contract's order: texts as their codes, truths as 0 and 1, missing ones as NaN. */
    public double[] features() {
        int[] slots = contract.features;
        double[] row = new double[slots.length];
        for (int feature = 0; feature < row.length; feature++) {
            row[feature] = number(slots[feature]);
        }
        return row;
    }
}
