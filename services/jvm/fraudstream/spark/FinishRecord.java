package fraudstream.spark;

import fraudstream.contract.Event;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * What a scorer elsewhere made of a record → topic, key and value of the record that comes out: as they are, or
 * rejected where the event was refused with a reason.
 */
public class FinishRecord extends Function {
    FinishRecord() {
        super(
            "finish",
            DataTypes.StringType,
            DataTypes.BinaryType,
            DataTypes.BinaryType,
            DataTypes.StringType,
            DataTypes.StringType,
            DataTypes.StringType);
    }

    /** {@code field} and {@code reason} are null where nothing was refused; {@code source} is JSON. */
    public static InternalRow invoke(
        UTF8String topic, byte[] key, byte[] value, UTF8String source, UTF8String field, UTF8String reason) {
        if (reason == null) {
            return DecideRecord.row(topic, topic.equals(DecideRecord.REJECTED) ? Records.rejectedKey(key) : key, value);
        }
        Event event = Event.refused(field.toString(), reason.toString());
        return DecideRecord.rejected(value, key, event, source.toString());
    }
}
