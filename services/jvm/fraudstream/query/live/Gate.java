package fraudstream.query.live;

import fraudstream.query.values.BadEvent;
import fraudstream.query.values.Record;

/** What a job puts before its query. Made once for each task, by a constructor without arguments. */
public interface Gate {
    /** A record of a topic: {@code key} may be null; the broker's time in microseconds since 1970 in UTC. */
    record Message(String topic, int partition, long offset, long enqueuedMicros, byte[] key, byte[] value) {
    }

    /** The event that the query gets, or null for one that it does not get: the job sets that aside elsewhere. */
    Record admit(Message message) throws BadEvent;

    /**
     * The value of the record of {@code rejected} for a message on which an expression of the query failed. {@code
     * reason} begins with {@code query: } and ends with line and column.
     */
    byte[] rejected(Message message, String reason);

    /** The same for a row that is of no one message, such as a window's result; {@code row} is JSON. */
    byte[] rejected(String row, String reason);
}
