package fraudstream.spark;

import fraudstream.query.job.Arrival;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Where a record came from.
 *
 * @param enqueued the broker's time in microseconds since 1970 in UTC, as Spark holds it
 */
record Source(UTF8String topic, int partition, long offset, long enqueued) {
    private static final long MICROS = 1000L;
    private static final List<DataType> COLUMNS = List.of(
        DataTypes.BinaryType,
        DataTypes.BinaryType,
        DataTypes.StringType,
        DataTypes.IntegerType,
        DataTypes.LongType,
        DataTypes.TimestampType);

    /** The types of a record of the Kafka source, value first, and of what a function takes beside it. */
    static DataType[] columns(DataType... beside) {
        return Stream.concat(COLUMNS.stream(), Stream.of(beside)).toArray(DataType[]::new);
    }

    /** The same for the query; {@code key} is the sender's and may be null. */
    Arrival arrival(byte[] key) {
        return new Arrival(topic.toString(), partition, offset, enqueued, key);
    }

    /** Adds it as JSON. */
    Bytes into(Bytes bytes) {
        bytes.ascii("{\"topic\":\"").all(topic).ascii("\",\"partition\":").number(partition);
        bytes.ascii(",\"offset\":").number(offset);
        return bytes.ascii(",\"enqueued_at\":\"").millis(Math.floorDiv(enqueued, MICROS)).ascii("\"}");
    }

    UTF8String json() {
        return into(new Bytes(128)).text();
    }
}
