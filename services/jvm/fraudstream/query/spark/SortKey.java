package fraudstream.query.spark;

import java.io.Serializable;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Comparator;
import org.apache.spark.Partitioner;

/** The key of a row in a shuffle, as bytes: a hash of what keeps rows apart, the time, the place among all, the input. */
final class SortKey {
    private static final int HASH_BYTES = Integer.BYTES;

    private SortKey() {
    }

    static byte[] of(int hash, long ticks, long arrival, int input) {
        // Bytes are compared without a sign.
        return ByteBuffer.allocate(HASH_BYTES + 2 * Long.BYTES + Integer.BYTES)
            .putInt(hash).putLong(ticks ^ Long.MIN_VALUE).putLong(arrival).putInt(input).array();
    }

    static long ticks(byte[] key) {
        return ByteBuffer.wrap(key).getLong(HASH_BYTES) ^ Long.MIN_VALUE;
    }

    static int input(byte[] key) {
        return ByteBuffer.wrap(key).getInt(HASH_BYTES + 2 * Long.BYTES);
    }

    /** By time, and within one time by the place among all. */
    static final class Order implements Comparator<byte[]>, Serializable {
        private static final long serialVersionUID = 1L;

        @Override
        public int compare(byte[] one, byte[] other) {
            return Arrays.compareUnsigned(one, HASH_BYTES, one.length, other, HASH_BYTES, other.length);
        }
    }

    /** Rows of one hash into one partition. */
    static final class ByHash extends Partitioner {
        private static final long serialVersionUID = 1L;
        private final int count;

        ByHash(int count) {
            this.count = count;
        }

        @Override
        public int numPartitions() {
            return count;
        }

        @Override
        public int getPartition(Object key) {
            return Math.floorMod(ByteBuffer.wrap((byte[]) key).getInt() * 0x9e3779b9, count);
        }
    }
}
