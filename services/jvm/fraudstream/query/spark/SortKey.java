package fraudstream.query.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import org.apache.spark.Partitioner;

/** The key of a row in a shuffle, as bytes: a hash of what keeps rows apart, the time, the place among all, the input. */
public final class SortKey {
    private static final int HASH_BYTES = Integer.BYTES;

    private SortKey() {
    }

    static byte[] of(int hash, long ticks, long arrival, int input) {
        // Bytes are compared without a sign.
        return ByteBuffer.allocate(HASH_BYTES + 2 * Long.BYTES + Integer.BYTES)
            .putInt(hash).putLong(ticks ^ Long.MIN_VALUE).putLong(arrival).putInt(input).array();
    }

    public static long ticks(byte[] key) {
        return ByteBuffer.wrap(key).getLong(HASH_BYTES) ^ Long.MIN_VALUE;
    }

    static int input(byte[] key) {
        return ByteBuffer.wrap(key).getInt(HASH_BYTES + 2 * Long.BYTES);
    }

    /** By time, and within one time by the place among all. */
    public static final class Order implements Comparator<byte[]>, Serializable {
        private static final long serialVersionUID = 1L;

        @Override
        public int compare(byte[] one, byte[] other) {
            return Arrays.compareUnsigned(one, HASH_BYTES, one.length, other, HASH_BYTES, other.length);
        }
    }

    /** Rows of one hash into one partition: the hash times a factor, modulo the number of partitions. */
    public static final class ByHash extends Partitioner {
        private static final long serialVersionUID = 1L;
        private final int count;
        private final int factor;

        ByHash(int count) {
            this(count, 0x9e3779b9);
        }

        public ByHash(int count, int factor) {
            this.count = count;
            this.factor = factor;
        }

        @Override
        public int numPartitions() {
            return count;
        }

        @Override
        public int getPartition(Object key) {
            return Math.floorMod(ByteBuffer.wrap((byte[]) key).getInt() * factor, count);
        }
    }
}
