package fraudstream.contract;

import java.nio.charset.StandardCharsets;
import org.apache.spark.unsafe.types.UTF8String;

/** What was read of one record: a valid event, or the reason why it is none. */
final class Event {
    /** Null for a valid event, else a text that starts with the name in {@link #field}. */
    String reason;
    String field;
    final long[] integers;
    final double[] numbers;
    final UTF8String[] texts;
    /** The code of each text that comes from a list: its place in that list. */
    final int[] codes;
    final boolean[] present;
    /** Seconds since 1970 in UTC. */
    long eventSeconds;
    /** What records of {@code scored} carry beside the event; -1 and null elsewhere. */
    int prediction = -1;
    String enqueuedAt;

    Event(int fields) {
        integers = new long[fields];
        numbers = new double[fields];
        texts = new UTF8String[fields];
        codes = new int[fields];
        present = new boolean[fields];
    }

    long id() {
        return integers[Contract.CURRENT.idPosition];
    }

    byte[] key() {
        return Long.toString(id()).getBytes(StandardCharsets.US_ASCII);
    }

    /** A field's value as Spark holds it: a long, a double or a text, null where it is absent. */
    Object value(int position) {
        if (!present[position]) {
            return null;
        }
        int kind = Contract.CURRENT.fields[position].kind;
        if (kind == Contract.INTEGER) {
            return Long.valueOf(integers[position]);
        }
        return kind == Contract.NUMBER ? (Object) Double.valueOf(numbers[position]) : texts[position];
    }

    /** The model's inputs, categories as their codes. */
    double[] features() {
        int[] positions = Contract.CURRENT.features;
        double[] row = new double[positions.length];
        for (int feature = 0; feature < row.length; feature++) {
            int position = positions[feature];
            int kind = Contract.CURRENT.fields[position].kind;
            row[feature] = kind == Contract.NUMBER
                ? numbers[position]
                : kind == Contract.INTEGER ? (double) integers[position] : (double) codes[position];
        }
        return row;
    }

    /** What went wrong with this record alone, which must not keep the others from being scored. */
    static Event failed(Throwable error) {
        Event event = new Event(Contract.CURRENT.fields.length);
        return event.reject("cannot be scored", error.getClass().getSimpleName() + ": " + error.getMessage());
    }

    Event reject(String name, String explanation) {
        field = name;
        reason = name + ": " + explanation;
        return this;
    }
}
