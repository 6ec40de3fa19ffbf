package fraudstream;

import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF6;

/**
 * A record of `transactions` → what a scorer elsewhere needs: the finished record where the event breaks the contract,
 * else the event's text, id, time and source, and the model's inputs. Takes value, key, topic, partition, offset and
 * the broker's time in milliseconds.
 */
public class CheckRecord implements UDF6 {
    private static final int BEFORE_FEATURES = 5;

    public Object call(Object value, Object key, Object topic, Object partition, Object offset, Object millis) {
        byte[] raw = (byte[]) value;
        String source = Records.source(
            (String) topic, ((Integer) partition).intValue(), ((Long) offset).longValue(), ((Long) millis).longValue());
        Event event = EventReader.read(raw, false);
        int[] positions = Contract.CURRENT.features;
        Object[] columns = new Object[BEFORE_FEATURES + positions.length];
        columns[3] = source;
        if (event.reason != null) {
            columns[4] = Records.rejected(raw, (byte[]) key, event, source, System.currentTimeMillis());
            return RowFactory.create(columns);
        }
        columns[0] = event.text;
        columns[1] = Long.valueOf(event.id());
        columns[2] = Times.ofSeconds(event.eventSeconds);
        for (int feature = 0; feature < positions.length; feature++) {
            columns[BEFORE_FEATURES + feature] = event.value(positions[feature]);
        }
        return RowFactory.create(columns);
    }
}
