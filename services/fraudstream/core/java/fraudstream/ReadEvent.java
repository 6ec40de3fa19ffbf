package fraudstream;

import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF2;

/**
 * A value → its reason and field if it breaks the contract, its event time in seconds, and its fields. The second
 * argument says whether it carries a decision, whose prediction and source time then come along.
 */
public class ReadEvent implements UDF2 {
    private static final int BEFORE_FIELDS = 5;

    public Object call(Object value, Object decided) {
        Event event = EventReader.read((byte[]) value, ((Boolean) decided).booleanValue());
        int fields = Contract.CURRENT.fields.length;
        Object[] columns = new Object[BEFORE_FIELDS + fields];
        columns[0] = event.reason;
        columns[1] = event.field;
        columns[2] = event.reason == null ? Long.valueOf(event.eventSeconds) : null;
        columns[3] = event.prediction < 0 ? null : Integer.valueOf(event.prediction);
        columns[4] = event.enqueuedAt;
        for (int position = 0; position < fields; position++) {
            columns[BEFORE_FIELDS + position] = event.value(position);
        }
        return RowFactory.create(columns);
    }
}
