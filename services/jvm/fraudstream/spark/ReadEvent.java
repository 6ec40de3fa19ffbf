package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A value → its reason and field if it breaks the contract, its event time in microseconds, and the fields that have a
 * role: id, amount, label, and those by which events are counted.
 */
public class ReadEvent extends Function {
    private static final int BEFORE_DIMENSIONS = 8;

    ReadEvent() {
        super("read", DataTypes.BinaryType, DataTypes.BooleanType);
    }

    /** {@code decided}: the value carries a decision, whose prediction and source time come along. */
    public static InternalRow invoke(byte[] value, boolean decided) {
        Event event = EventReader.readAny(Contract.CURRENT, value, decided);
        Contract contract = Contract.CURRENT;
        Object[] columns = new Object[BEFORE_DIMENSIONS + contract.dimensions.length];
        columns[0] = UTF8String.fromString(event.reason());
        columns[1] = UTF8String.fromString(event.field());
        columns[2] = event.reason() == null ? event.micros() : null;
        columns[3] = event.prediction() < 0 ? null : event.prediction();
        columns[4] = UTF8String.fromString(event.enqueuedAt());
        columns[5] = event.value(contract.id);
        double amount = event.number(contract.amount);
        columns[6] = Double.isNaN(amount) ? null : amount;
        double label = event.number(contract.label);
        columns[7] = Double.isNaN(label) ? null : (long) label;
        for (int at = 0; at < contract.dimensions.length; at++) {
            columns[BEFORE_DIMENSIONS + at] = event.value(contract.dimensions[at]);
        }
        return new GenericInternalRow(columns);
    }
}
