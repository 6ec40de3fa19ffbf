package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/** A value → its reason and field if it breaks the contract, its event time in seconds, and its fields. */
public class ReadEvent extends Function {
    private static final int BEFORE_FIELDS = 5;

    ReadEvent() {
        super("read", DataTypes.BinaryType, DataTypes.BooleanType);
    }

    /** {@code decided}: the value carries a decision, whose prediction and source time come along. */
    public static InternalRow invoke(byte[] value, boolean decided) {
        Event event = EventReader.readAny(value, decided);
        int fields = Contract.CURRENT.fields.length;
        Object[] columns = new Object[BEFORE_FIELDS + fields];
        columns[0] = UTF8String.fromString(event.reason());
        columns[1] = UTF8String.fromString(event.field());
        columns[2] = event.reason() == null ? event.eventSeconds() : null;
        columns[3] = event.prediction() < 0 ? null : event.prediction();
        columns[4] = UTF8String.fromString(event.enqueuedAt());
        for (int position = 0; position < fields; position++) {
            columns[BEFORE_FIELDS + position] = event.value(position);
        }
        return new GenericInternalRow(columns);
    }
}
