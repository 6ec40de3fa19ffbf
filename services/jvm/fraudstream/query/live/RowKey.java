package fraudstream.query.live;

import fraudstream.query.spark.SortKey;
import java.nio.ByteBuffer;
import java.util.Comparator;
import org.apache.spark.Partitioner;

/**
 * The place of a row among all rows of a live query, as bytes that sort: its time, its arrival, its input, and where it
 * stands in its topic. So the order depends on the rows alone, and not on how they were cut into batches. In front of
 * it stands the part of the state that the row belongs to.
 */
final class RowKey {
    /** By the place among all rows. */
    static final Comparator<byte[]> ORDER = new SortKey.Order();
    static final int BYTES = 3 * Integer.BYTES + 3 * Long.BYTES + Integer.BYTES;
    private static final int TICKS = Integer.BYTES;
    private static final int INPUT = TICKS + 2 * Long.BYTES;
    // Before the rows of all times that there are.
    private static final long REPORT = 0;

    private RowKey() {
    }

    /** Where a record came from: the topic's partition and offset, and its number in a message with several. */
    record Place(int partition, long offset, int number) {
    }

    static byte[] of(int target, long ticks, long arrival, int input, Place place) {
        // Bytes are compared without a sign.
        return ByteBuffer.allocate(BYTES).putInt(target).putLong(ticks ^ Long.MIN_VALUE)
            .putLong(arrival ^ Long.MIN_VALUE).putInt(input).putInt(place.partition).putLong(place.offset)
            .putInt(place.number).array();
    }

    /** The key of a report, which comes before all rows. */
    static byte[] ofReport(int target) {
        return ByteBuffer.allocate(BYTES).putInt(target).putLong(REPORT).array();
    }

    static boolean isReport(byte[] key) {
        return ByteBuffer.wrap(key).getLong(TICKS) == REPORT;
    }

    /** Each row into the part of the state that its key names. */
    static Partitioner byTarget(int count) {
        return new SortKey.ByHash(count, 1);
    }

    static Place place(byte[] key) {
        ByteBuffer place = ByteBuffer.wrap(key, INPUT + Integer.BYTES, BYTES - INPUT - Integer.BYTES);
        return new Place(place.getInt(), place.getLong(), place.getInt());
    }

    static int input(byte[] key) {
        return ByteBuffer.wrap(key).getInt(INPUT);
    }
}
