package fraudstream;

import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF7;

/**
 * A record of `transactions` → topic, key and value of the record that comes out: scored by the champion whose trees
 * are in a file, or rejected with its reason. Takes value, key, topic, partition, offset, the broker's time in
 * milliseconds, and the file's path.
 */
public class DecideRecord implements UDF7 {
    public Object call(
        Object value, Object key, Object topic, Object partition, Object offset, Object millis, Object champion) {
        byte[] raw = (byte[]) value;
        String source = Records.source(
            (String) topic, ((Integer) partition).intValue(), ((Long) offset).longValue(), ((Long) millis).longValue());
        Event event = EventReader.read(raw, false);
        Contract contract = Contract.CURRENT;
        if (event.reason != null) {
            byte[] rejected = Records.rejected(raw, (byte[]) key, event, source, System.currentTimeMillis());
            return row(contract.rejectedTopic, (byte[]) key, rejected);
        }
        Decision decision = Champion.of((String) champion).decide(event.features());
        byte[] scored = Records.scored(raw, event, decision, source, System.currentTimeMillis());
        return row(contract.scoredTopic, event.key(), scored);
    }

    private static Row row(String topic, byte[] key, byte[] value) {
        return RowFactory.create(new Object[] {topic, key, value});
    }
}
