package fraudstream.spark;

import fraudstream.contract.Contract;
import fraudstream.contract.Event;
import fraudstream.contract.EventReader;
import fraudstream.model.Champion;
import fraudstream.model.Decision;
import fraudstream.model.Ensemble;
import org.apache.spark.sql.catalyst.InternalRow;
import org.apache.spark.sql.catalyst.expressions.GenericInternalRow;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * A record of {@code transactions} → topic, key and value of the record that comes out: scored by the champion whose
 * trees are in a file, or rejected with its reason.
 */
public class DecideRecord extends Function {
    static final UTF8String SCORED = UTF8String.fromString(Contract.CURRENT.scoredTopic);
    static final UTF8String REJECTED = UTF8String.fromString(Contract.CURRENT.rejectedTopic);

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
        Event event = EventReader.readAny(value, false);
        if (event.reason() == null) {
            // A champion that is not there, or not of this contract, concerns all records: it fails the batch.
            Ensemble ensemble = Champion.of(champion);
            try {
                Decision decision = ensemble.decide(event.features());
                byte[] scored = Records.scored(value, event, ensemble, decision, source);
                return row(SCORED, event.key(), scored);
            } catch (RuntimeException | StackOverflowError error) {
                event = Event.failed(error);
            }
        }
        return rejected(value, key, event, source.json().toString());
    }

    static InternalRow rejected(byte[] value, byte[] key, Event event, String source) {
        return row(REJECTED, Records.rejectedKey(key), Records.rejected(value, key, event, source));
    }

    static InternalRow row(UTF8String topic, byte[] key, byte[] value) {
        return new GenericInternalRow(new Object[] {topic, key, value});
    }
}
