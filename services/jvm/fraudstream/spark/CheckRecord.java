package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} → what a scorer elsewhere needs: the value of its record of {@code rejected} where
 * the event breaks the contract, else the event's bytes, key and time, and the model's inputs.
 */
public class CheckRecord extends Function {
    private static final int BEFORE_FEATURES = 4;

    CheckRecord() {
        super("check", Source.columns());
    }

    /** {@code enqueued}: the broker's time in microseconds since 1970 in UTC; {@code key} may be null. */
    public static InternalRow invoke(
        byte[] value, byte[] key, UTF8String topic, int partition, long offset, long enqueued) {
        Event event = EventReader.readAny(Contract.CURRENT, value, false);
        int[] slots = Contract.CURRENT.features;
        Object[] columns = new Object[BEFORE_FEATURES + slots.length];
        if (event.reason() != null) {
            Source source = new Source(topic, partition, offset, enqueued);
            columns[3] = Records.rejectedValue(value, key, event, source, "");
            return new GenericInternalRow(columns);
        }
        columns[0] = value;
        columns[1] = UTF8String.fromString(event.key());
        columns[2] = event.micros();
        for (int feature = 0; feature < slots.length; feature++) {
            columns[BEFORE_FEATURES + feature] = event.value(slots[feature]);
        }
        return new GenericInternalRow(columns);
    }
}
