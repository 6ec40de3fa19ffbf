package fraudstream.spark;

import java.util.Arrays;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/** Where a record came from. */
final class Source {
    private static final long MICROS = 1000L;

    private final UTF8String topic;
    private final int partition;
    private final long offset;
    private final long enqueuedMillis;

    /** {@code enqueued}: the broker's time in microseconds since 1970, as Spark holds it. */
    Source(UTF8String topic, int partition, long offset, long enqueued) {
        this.topic = topic;
        this.partition = partition;
        this.offset = offset;
        enqueuedMillis = Math.floorDiv(enqueued, MICROS);
    }

    /** The types of a record of the Kafka source, value first, and of what a function takes beside it. */
    static DataType[] columns(DataType[] beside) {
        DataType[] record = {
            DataTypes.BinaryType,
            DataTypes.BinaryType,
            DataTypes.StringType,
            DataTypes.IntegerType,
            DataTypes.LongType,
            DataTypes.TimestampType,
        };
        DataType[] all = (DataType[]) Arrays.copyOf(record, record.length + beside.length);
        System.arraycopy(beside, 0, all, record.length, beside.length);
        return all;
    }

    /** Adds it as JSON. */
    Bytes into(Bytes bytes) {
        bytes.ascii("{\"topic\":\"").all(topic).ascii("\",\"partition\":").number(partition);
        bytes.ascii(",\"offset\":").number(offset);
        return bytes.ascii(",\"enqueued_at\":\"").millis(enqueuedMillis).ascii("\"}");
    }

    UTF8String json() {
        return into(new Bytes(128)).text();
    }
}
