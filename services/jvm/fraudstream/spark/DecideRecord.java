package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import fraudstream.model.Champion;
import fraudstream.model.Decision;
import fraudstream.model.Ensemble;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} → topic, key and value of the record that comes out: scored by the champion whose
 * trees are in a file, or rejected with its reason.
 */
public class DecideRecord extends Function {
    DecideRecord() {
        super("decide", Source.columns(DataTypes.StringType));
    }

    /**
     * {@code enqueued}: the broker's time in microseconds since 1970 in UTC; {@code key} may be null; {@code champion}
     * is the file's path.
     */
    public static InternalRow invoke(
        byte[] value, byte[] key, UTF8String topic, int partition, long offset, long enqueued, UTF8String champion) {
        Source source = new Source(topic, partition, offset, enqueued);
        Event event = EventReader.readAny(Contract.CURRENT, value, false);
        if (event.reason() == null) {
            // A champion that is not there, or not of this contract, concerns all records: it fails the batch.
            Ensemble ensemble = Champion.of(champion);
            try {
                Decision decision = ensemble.decide(event.features());
                return Records.scored(
                    value, key, event.key(), event.micros(), decision, ensemble.inCommon, source);
            } catch (RuntimeException | StackOverflowError error) {
                event = Event.failed(Contract.CURRENT, error);
            }
        }
        return Records.rejected(value, key, event, source);
    }
}
