package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} → what a scorer elsewhere needs: the finished record where the event breaks the
 * contract, else the event's text, id, time and source, and the model's inputs.
 */
public class CheckRecord extends Function {
    private static final int BEFORE_FEATURES = 5;

    CheckRecord() {
        super("check", Source.columns());
    }

    /** {@code enqueued}: the broker's time in microseconds since 1970 in UTC; {@code key} may be null. */
    public static InternalRow invoke(
        byte[] value, byte[] key, UTF8String topic, int partition, long offset, long enqueued) {
        Source source = new Source(topic, partition, offset, enqueued);
        Event event = EventReader.readAny(value, false);
        int[] positions = Contract.CURRENT.features;
        Object[] columns = new Object[BEFORE_FEATURES + positions.length];
        columns[3] = source.json();
        if (event.reason() != null) {
            columns[4] = Records.rejected(value, key, event, source.json().toString());
            return new GenericInternalRow(columns);
        }
        columns[0] = UTF8String.fromBytes(value);
        columns[1] = event.id();
        columns[2] = new Bytes(20).seconds(event.eventSeconds()).ascii("Z").text();
        for (int feature = 0; feature < positions.length; feature++) {
            columns[BEFORE_FEATURES + feature] = event.value(positions[feature]);
        }
        return new GenericInternalRow(columns);
    }
}
